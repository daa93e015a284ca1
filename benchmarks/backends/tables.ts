/** Markdown made from results. */
import { type Environment, geometricMean } from '@tfgraft/bench/measure'
import type { PeerResult } from '../peers/steps'
import type { MemoryResult, ProductResult } from './ops'
import type { StepResult } from './steps'
import type { ThreadsResult, ThreadsTiming } from './threads'

type MeasuredOn = Environment & { relaxedSimd: boolean }

interface Results<Row> {
  environment: MeasuredOn
  rows: Row[]
}

const number = (value: number) =>
  value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toPrecision(2)

const table = (head: string[], rows: string[][]) =>
  [head, head.map((_, i) => (i ? '---:' : '---')), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')

const machine = ({ cpu, cores, node, tfjs, commit, relaxedSimd }: MeasuredOn) =>
  `${cpu}, ${cores} cores, one thread; Node ${node}, tfjs ${tfjs}, relaxed SIMD ${relaxedSimd ? 'on' : 'off'}; commit ${commit}.`

const header = (title: string, measuredOn: MeasuredOn) =>
  `# ${title}

${machine(measuredOn)}
Medians in milliseconds of processor time, stock and ours in turns in one process. The machine was shared: compare ratios.
`

const ratio = ({ stock, ours }: { stock: number; ours: number }) => stock / ours

const mean = (rows: { stock: number; ours: number }[]) =>
  `Geometric mean of the ratios: ${number(geometricMean(rows.map(ratio)))}.`

export function productsTable(results: Results<ProductResult>): string {
  return `${header('Products on wasm', results.environment)}
${table(
  ['product', 'm x k x n', 'stock ms', 'ours ms', 'stock GFLOP/s', 'ours GFLOP/s', 'ratio'],
  results.rows.map((row) => [
    row.name,
    row.shape,
    ...[row.stock, row.ours, row.stockRate, row.ourRate, ratio(row)].map(number),
  ]),
)}

${mean(results.rows)}
`
}

export function kernelsTable(results: Results<MemoryResult>): string {
  return `${header('Memory-bound kernels on wasm, a million floats', results.environment)}
${table(
  ['kernel', 'stock ms', 'ours ms', 'ratio', 'times a copy of the bytes', 'ns per element'],
  results.rows.map((row) => [
    row.name,
    ...[row.stock, row.ours, ratio(row), row.timesCopy].map(number),
    row.nanosecondsPerElement ? number(row.nanosecondsPerElement) : '',
  ]),
)}

${mean(results.rows)}
`
}

export function stepsTable(results: Results<StepResult>): string {
  const over = (time: number | null, ours: number) => (time === null ? '' : number(time / ours))
  return `${header('Training steps on wasm', results.environment)}
${table(
  ['step', 'ours ms', 'stock wasm ms, with the kernels it lacks', 'ratio', 'tfjs-cpu ms', 'ratio'],
  results.rows.map(({ name, ours, stock, cpu }) => [
    name,
    number(ours),
    number(stock),
    over(stock, ours),
    cpu === null ? '' : number(cpu),
    over(cpu, ours),
  ]),
)}
`
}

export function peersTable({
  environment,
  rows,
}: Results<PeerResult> & { environment: { torch: string } }): string {
  return `# Training steps on wasm next to PyTorch

${machine(environment)}
PyTorch ${environment.torch}
Medians in milliseconds of processor time of a step, in turns in one run, one thread each.

${table(
  ['step', 'wasm ms', 'PyTorch ms', 'ratio'],
  rows.map(({ name, ours, torch, ratio }) => [name, number(ours), number(torch), ratio.toFixed(2)]),
)}
`
}

export function threadsTable({
  environment: { cpu, cores, node, tfjs, commit, load },
  rows,
}: {
  environment: Environment & { load: number }
  rows: ThreadsResult[]
}): string {
  const columns = (timing?: ThreadsTiming) =>
    timing
      ? [
          ...[timing.one, timing.two].map(number),
          `${timing.ratio.toFixed(2)} (${timing.quartiles.map((q) => q.toFixed(2)).join(' to ')})`,
        ]
      : ['', '', '']
  return `# Training steps with one and with two threads

${cpu}, ${cores} cores; Node ${node}, tfjs ${tfjs}; commit ${commit}. Load average ${load}: above ${cores + 2}, the machine had more to do.
Wall time of a step in milliseconds, one and two threads in turns in one process: medians, and the quartiles of the ratios.
Loaded: beside ${cores} processes that keep ${cores} cores busy.

${table(
  ['step', '1 thread', '2 threads', 'ratio', 'loaded: 1', '2 threads', 'ratio'],
  rows.map(({ name, quiet, loaded }) => [name, ...columns(quiet), ...columns(loaded)]),
)}
`
}
