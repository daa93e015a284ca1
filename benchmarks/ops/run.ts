/**
 * Micro-benchmarks of every op and layer: ours beside the same composed of tf ops, and on wasm beside tfjs's own kernels, with rates as
 * shares of what the machine can do.
 *
 *     pnpm bench:ops [--backend wasm] [--only attention] [--milliseconds 150] [--out benchmarks/results/committed/ops]
 *
 * Writes `ops.json`, `ops.md` and `ops.html` with a roofline plot. Contenders take turns in one process; on wasm and cpu milliseconds
 * are processor time. Memory is the most that is alive during a call beyond its inputs.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { useBackend } from '@tfgraft/backends'
import { environment, median, processorTime } from '@tfgraft/bench/measure'
import { contestants } from '../backends/stock-and-ours'
import { replaceFile } from '../src/results'
import { type Body, type OpCase, opCases } from './cases'
import { measureLimits } from './limits'
import { type OpReport, type OpRow, opsHtml, opsMarkdown } from './report'

const { values } = parseArgs({
  options: {
    backend: { type: 'string', default: 'wasm' },
    only: { type: 'string', default: '' },
    milliseconds: { type: 'string', default: '150' },
    out: { type: 'string', default: 'benchmarks/results/ops' },
  },
})
const budget = Number(values.milliseconds)
const chosen = opCases.filter(({ name, group }) => `${group} ${name}`.includes(values.only))
if (!(budget > 0))
  throw new Error(`bench:ops: --milliseconds must be positive. Received '${values.milliseconds}'.`)
if (chosen.length === 0) throw new Error(`bench:ops: --only must match a case. Received '${values.only}'.`)

/** Both sets of kernels, which only wasm has. */
const sides = values.backend === 'wasm' ? await contestants() : undefined
if (!sides) await useBackend(values.backend as Parameters<typeof useBackend>[0])
const backend = tf.getBackend()
const now = ['wasm', 'cpu'].includes(backend) ? processorTime : () => performance.now()

/** Groups of ops that stock tfjs has too. */
const hasStock = new Set(['products', 'memory-bound', 'tfjs layers'])

interface Side {
  use: () => void
  body: Body
}

/** The last tensor of a container. */
function lastOf(container: tf.TensorContainer): tf.Tensor | undefined {
  if (container instanceof tf.Tensor) return container
  return container && typeof container === 'object'
    ? lastOf(Object.values(container).at(-1) as tf.TensorContainer)
    : undefined
}

/** One call, complete when its outputs are known: reading one waits for a device. */
async function call({ body }: Side): Promise<void> {
  const outputs = body()
  if (now !== processorTime) await lastOf(outputs)?.data()
  tf.dispose(outputs)
}

/** Median milliseconds of a call of each side, in turns. Sides that cannot run are absent. */
async function inTurns(all: Record<string, Side>): Promise<Record<string, number>> {
  const running: [string, Side, number][] = []
  for (const [name, side] of Object.entries(all)) {
    try {
      side.use()
      await call(side)
      const start = now()
      let calls = 0
      do await call(side)
      while (++calls < 500 && now() - start < 20)
      // So many calls make 3 ms, far above the clock's resolution.
      running.push([name, side, Math.max(1, Math.ceil((3 * calls) / (now() - start)))])
    } catch (error) {
      console.error(`  ${name}: ${(error as Error).message.split('\n')[0]}`)
    }
  }
  const times = Object.fromEntries(running.map(([name]) => [name, [] as number[]]))
  const end = now() + budget * running.length
  for (let round = 0; round < 3 || now() < end; round++)
    for (const [name, side, calls] of round % 2 ? [...running].reverse() : running) {
      side.use()
      const start = now()
      for (let i = 0; i < calls; i++) await call(side)
      times[name]!.push((now() - start) / calls)
      if (round > 200) break
    }
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)]))
}

/** Most tensor bytes alive during a call, beyond what was there before it. */
async function peakBytes(body: Body): Promise<number> {
  const before = tf.memory().numBytes
  const profile = await tf.profile(() => body())
  tf.dispose(profile.result as tf.TensorContainer)
  return Math.max(0, profile.peakBytes - before)
}

async function measure({ name, group, flops, bytes, make }: OpCase): Promise<OpRow> {
  sides?.useOurs()
  const { inputs, ours, composed } = make()
  const use = () => sides?.useOurs()
  const ms = await inTurns({
    ours: { use, body: ours },
    ...(composed ? { composed: { use, body: composed } } : {}),
    // Where we have a fused op, stock has only the composition; an op of ours without one has no counterpart there.
    ...(sides && (composed || hasStock.has(group))
      ? { stock: { use: sides.useStock, body: composed ?? ours } }
      : {}),
  })
  use()
  const memory = await peakBytes(ours)
  const composedMemory = composed ? await peakBytes(composed) : undefined
  tf.dispose(inputs)
  return {
    ...{ name, group, flops, bytes, ms, memory },
    ...(composedMemory === undefined ? {} : { composedMemory }),
  }
}

const limits = await measureLimits()
console.log(`one thread: ${limits.gflops.toFixed(0)} GFLOP/s, ${limits.gigabytesPerSecond.toFixed(1)} GB/s`)
const rows: OpRow[] = []
for (const entry of chosen) {
  const row = await measure(entry)
  rows.push(row)
  const times = Object.entries(row.ms).map(([side, ms]) => `${side} ${ms.toPrecision(3)} ms`)
  console.log(`${row.group}: ${row.name}: ${times.join(', ')}`)
}
const report: OpReport = { command: 'pnpm bench:ops', environment: environment(), limits, rows }
mkdirSync(values.out, { recursive: true })
replaceFile(join(values.out, 'ops.json'), `${JSON.stringify(report, null, 1)}\n`)
replaceFile(join(values.out, 'ops.md'), opsMarkdown(report))
replaceFile(join(values.out, 'ops.html'), await opsHtml(report))
console.log(`report: ${join(values.out, 'ops.html')}`)
