/**
 * The training steps of `backends/models.ts` on wasm next to PyTorch's, in one run, taking turns, one thread each. In this
 * folder's parent:
 *
 *     apt-get install python3-torch libopenblas0-openmp     # Debian's PyTorch, with a fast BLAS
 *     node --no-liftoff --conditions=@tfgraft/source --import tsx peers/steps.ts [--rounds 15] [--python /usr/bin/python3] [name ...]
 *
 * Writes `results/committed/peers-steps.json` and the table made from it, `peers-steps.md`. With names, measures only those,
 * prints the table, and writes nothing.
 */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { hasRelaxedSimd, useBackend } from '@tfgraft/backends'
import { environment, median } from '@tfgraft/bench/measure'
import { kernels } from '../../packages/backends/src/generated/kernels'
import { timed, warmUp } from '../backends/measure'
import { embedding, lenet, lstm, resnet, transformer } from '../backends/models'
import { peersTable } from '../backends/tables'

const models = { lenet, resnet, transformer, lstm, embedding }
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '15' },
    python: { type: 'string', default: '/usr/bin/python3' },
  },
})
await useBackend('wasm')

const script = fileURLToPath(new URL('training_steps.py', import.meta.url))
const python = spawn(values.python, [script], {
  stdio: ['pipe', 'pipe', 'inherit'],
  env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
})
const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]()
async function answer(): Promise<string> {
  const { value, done } = await lines.next()
  if (done) throw new Error(`peers/steps: ${values.python} must have torch. Received an end of its output.`)
  return value
}
const torch = await answer()

/** Milliseconds of processor time of one of PyTorch's steps. */
async function theirs(name: string): Promise<number> {
  python.stdin.write(`${name}\n`)
  return Number(await answer())
}

export interface PeerResult {
  name: string
  /** Medians, in milliseconds of processor time per step. */
  ours: number
  torch: number
  /** Median over rounds of ours / theirs. */
  ratio: number
}

async function measure(key: keyof typeof models): Promise<PeerResult> {
  const { name, run } = models[key]()
  warmUp(run, 500)
  const calls = Math.ceil(30 / timed(run))
  for (let i = 0; i < 3; i++) await theirs(key)
  const times = { ours: [] as number[], torch: [] as number[] }
  for (let round = 0; round < Number(values.rounds); round++) {
    times.ours.push(timed(run, calls))
    times.torch.push(await theirs(key))
  }
  const ratios = times.ours.map((ours, round) => ours / times.torch[round]!)
  return { name, ours: median(times.ours), torch: median(times.torch), ratio: median(ratios) }
}

const keys = (Object.keys(models) as (keyof typeof models)[]).filter(
  (key) => !positionals.length || positionals.includes(key),
)
const rows: PeerResult[] = []
for (const key of keys) rows.push(await measure(key))
python.stdin.end()

const results = { environment: { ...environment(), relaxedSimd: hasRelaxedSimd(kernels), torch }, rows }
const table = peersTable(results)
console.log(table)
if (!positionals.length) {
  const file = (extension: string) =>
    new URL(`../results/committed/peers-steps.${extension}`, import.meta.url)
  writeFileSync(file('json'), `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(file('md'), table)
}
