/**
 * Our proximal training step on wasm next to PyTorch's, in one run, taking turns: 784-512-512-10, batch 128, SGD, one
 * thread each.
 *
 *     apt-get install python3-torch libopenblas0-openmp     # Debian's PyTorch, with a fast BLAS
 *     node benchmarks/peers/proxprop.mjs [--rounds 20] [--python /usr/bin/python3] [--out file.json]
 *
 * PyTorch's proximal steps are an own implementation of what the reference does (peers/proxprop_steps.py).
 */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { useBackend } from '@tfgraft/backends'
import { environment, median } from '@tfgraft/bench/measure'
import { defaultStep } from '@tfgraft/core'
import { proxDense } from '@tfgraft/proxprop'

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    rounds: { type: 'string', default: '20' },
    python: { type: 'string', default: '/usr/bin/python3' },
  },
})
const backend = await useBackend('wasm')

/** One step of ours per call. */
function ours(options) {
  const dense = (config) => (options ? proxDense({ ...config, ...options }) : tfl.layers.dense(config))
  const setup = {
    model: tfl.sequential({
      layers: [
        dense({ units: 512, activation: 'relu', inputShape: [784] }),
        dense({ units: 512, activation: 'relu' }),
        tfl.layers.dense({ units: 10, activation: 'softmax' }),
      ],
    }),
    optimizer: tf.train.sgd(0.01),
    loss: tfl.metrics.categoricalCrossentropy,
    step: defaultStep,
  }
  const xs = tf.randomUniform([128, 784], 0, 1, 'float32', 1)
  const ys = tf.oneHot(
    tf.tensor1d(
      Array.from({ length: 128 }, (_, i) => i % 10),
      'int32',
    ),
    10,
  )
  return async () => {
    const from = performance.now()
    const { loss, predictions } = setup.step(setup, { xs, ys }, { epoch: 0, step: 0, seed: 0 })
    loss.dataSync()
    const ms = performance.now() - from
    tf.dispose([loss, predictions])
    return ms
  }
}

const script = fileURLToPath(new URL('proxprop_steps.py', import.meta.url))
const python = spawn(values.python, [script], {
  stdio: ['pipe', 'pipe', 'inherit'],
  env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
})
const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]()
const answer = async () => {
  const { value, done } = await lines.next()
  if (done) throw new Error(`peers: ${values.python} must have torch. Received an end of its output.`)
  return value
}
const torch = await answer()
const theirs = (name) => async () => {
  python.stdin.write(`${name}\n`)
  return Number(await answer())
}

const contenders = {
  'tfgraft plain': ours(),
  'tfgraft exact': ours({}),
  'tfgraft cg1': ours({ solver: { cg: 1 } }),
  'tfgraft cg3': ours({ solver: { cg: 3 } }),
  'PyTorch plain': theirs('plain'),
  'PyTorch cg1': theirs('cg1'),
  'PyTorch cg3': theirs('cg3'),
}
const names = Object.keys(contenders)
const times = Object.fromEntries(names.map((name) => [name, []]))
for (let round = -3; round < Number(values.rounds); round++)
  for (const name of names) {
    const ms = await contenders[name]()
    if (round >= 0) times[name].push(ms)
  }
python.stdin.end()

const results = Object.fromEntries(
  names.map((name) => [name, { ms: median(times[name]), fastestMs: Math.min(...times[name]) }]),
)
console.log(`PyTorch ${torch}`)
console.table(results)
const ratios = times['tfgraft exact'].map((ms, round) => ms / times['PyTorch cg1'][round])
console.log('tfgraft exact / PyTorch cg1, median of rounds:', median(ratios).toFixed(2))
const report = {
  command: 'node benchmarks/peers/proxprop.mjs',
  environment: { ...environment(backend), torch },
  net: '784-512-512-10, batch 128, one thread each',
  rounds: Number(values.rounds),
  results,
  exactToTorchCg1: median(ratios),
}
if (values.out) writeFileSync(values.out, `${JSON.stringify(report, null, 2)}\n`)
