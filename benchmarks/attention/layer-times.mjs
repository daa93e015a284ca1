/**
 * A whole differential attention layer on our wasm backend next to eager PyTorch, with as many threads, taking turns in one run: input (1,
 * 2048, 512), 4 heads, queries and keys 64 wide, rotary positions, causal. Also plain attention of as many parameters on our kernels.
 *
 *     apt-get install python3-torch libopenblas0-openmp     # Debian's PyTorch, with a fast BLAS
 *     node benchmarks/attention/layer-times.mjs [--threads 1] [--rounds 9] [--python /usr/bin/python3] [--out file.json]
 *
 * PyTorch runs twice: with the allocator as it comes, which returns the maps' 134 MB to the system and faults them in again at each
 * step, and with one told to keep them. Its layer is our writing of the paper (attention_layer.py). Milliseconds are
 * processor time with one thread, and wall time with several. Run `pnpm build` first.
 */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import '@tensorflow/tfjs-layers' // registers tfjs's gradients
import * as tf from '@tensorflow/tfjs-core'
import { useBackend } from '@tfgraft/backends'
import { environment, median, processorTime } from '@tfgraft/bench/measure'
import { differentialAttention, multiHeadAttention } from '@tfgraft/diff-attention'

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    rounds: { type: 'string', default: '9' },
    threads: { type: 'string', default: '1' },
    python: { type: 'string', default: '/usr/bin/python3' },
  },
})
const threads = Number(values.threads)
const backend = await useBackend('wasm', { threads })
const clock = threads === 1 ? processorTime : () => performance.now()
const shape = [1, 2048, 512]
const x = tf.randomNormal(shape, 0, 1, 'float32', 1)
const upstream = tf.randomNormal(shape, 0, 1, 'float32', 2)

/** `forward` and `both` of one of our layers: each call answers its milliseconds. */
function ours(layer) {
  layer.apply(x)
  const weights = layer.trainableWeights.map((weight) => weight.val)
  const forward = () => [layer.call(x, {})]
  const both = () => {
    const loss = (input) => tf.sum(tf.mul(layer.call(input, {}), upstream))
    const { grads } = tf.variableGrads(() => loss(input), [input, ...weights])
    return Object.values(grads)
  }
  const input = tf.variable(x)
  return (task) => {
    const from = clock()
    const outputs = tf.tidy(task === 'forward' ? forward : both)
    outputs[0].dataSync()
    const ms = clock() - from
    tf.dispose(outputs)
    return ms
  }
}

/** PyTorch in a process of its own, with additions to its environment. */
async function torch(env) {
  const script = fileURLToPath(new URL('attention_layer.py', import.meta.url))
  const python = spawn(values.python, [script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, OMP_NUM_THREADS: values.threads, OPENBLAS_NUM_THREADS: values.threads, ...env },
  })
  const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]()
  const answer = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`layer-times: ${values.python} must have torch. Received an end of its output.`)
    return value
  }
  const version = await answer()
  const measure = async (task) => {
    python.stdin.write(`${task}\n`)
    return Number((await answer()).split(' ')[threads === 1 ? 0 : 1])
  }
  return { version, measure, stop: () => python.stdin.end() }
}

const options = { numHeads: 4, causal: true, rotary: 'interleaved' }
/** glibc: no mmap, nothing returned to the system. */
const keepMemory = {
  MALLOC_MMAP_MAX_: '0',
  MALLOC_TRIM_THRESHOLD_: '8589934592',
  MALLOC_TOP_PAD_: '268435456',
}
const [plainTorch, tunedTorch] = [await torch({}), await torch(keepMemory)]
const contenders = {
  tfgraft: ours(differentialAttention(options)),
  'tfgraft, plain attention': ours(multiHeadAttention({ ...options, numHeads: 8 })),
  'PyTorch, tuned allocator': tunedTorch.measure,
  PyTorch: plainTorch.measure,
}
const names = Object.keys(contenders)
const results = {}
for (const task of ['forward', 'both']) {
  const times = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = -6; round < Number(values.rounds); round++)
    for (const name of names) {
      const ms = await contenders[name](task)
      if (round >= 0) times[name].push(ms)
    }
  const ratio = (a, b) => median(times[a].map((ms, round) => ms / times[b][round]))
  results[task === 'both' ? 'forward and backward' : task] = {
    ms: Object.fromEntries(names.map((name) => [name, median(times[name])])),
    'tfgraft to PyTorch, tuned allocator': ratio('tfgraft', 'PyTorch, tuned allocator'),
    'tfgraft to PyTorch': ratio('tfgraft', 'PyTorch'),
    'differential to plain': ratio('tfgraft', 'tfgraft, plain attention'),
  }
}
plainTorch.stop()
tunedTorch.stop()
console.log(JSON.stringify(results, (_, x) => (typeof x === 'number' ? Number(x.toFixed(2)) : x), 2))
if (values.out)
  writeFileSync(
    values.out,
    `${JSON.stringify(
      {
        command: `node benchmarks/attention/layer-times.mjs --threads ${threads}`,
        environment: { ...environment(backend), torch: plainTorch.version, blas: 'OpenBLAS' },
        threads,
        layer: 'input (1, 2048, 512), 4 differential heads, causal, rotary, float32',
        'tuned allocator': keepMemory,
        rounds: Number(values.rounds),
        results,
      },
      null,
      2,
    )}\n`,
  )
