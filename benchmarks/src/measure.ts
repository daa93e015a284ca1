/**
 * What every measuring script of this folder shares, as `@tfgraft/bench/measure`: the clock, order statistics, and the
 * description of the machine.
 */
import { loadavg } from 'node:os'
import { quantile as quantileOf } from 'simple-statistics'
import { environment as describeProcess, type Environment } from './environment'

export { geometricMean, median } from 'simple-statistics'
export type { Environment } from './environment'

import { estimate } from './statistics'

export { type Estimate, estimate, pairedDifference } from './statistics'

/** What is measured on. `load`: processes that wanted a core during the last minute; above the number of cores, times suffer. */
export const environment = (backend?: string): Environment & { load: number } => ({
  ...describeProcess(backend),
  load: Math.round(10 * loadavg()[0]!) / 10,
})

/** The value below which the share `q` of `values` lies. */
export const quantile = (values: readonly number[], q: number): number => quantileOf([...values], q)

/** First and third quartile. */
export const quartiles = (values: readonly number[]): [number, number] => [
  quantile(values, 0.25),
  quantile(values, 0.75),
]

/**
 * Processor time of this process so far, in milliseconds. For what computes in the process on one thread, differences are wall
 * time on an idle machine, and on a busy one leave out the time that others had the processor.
 */
export function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Milliseconds of processor time that `body` takes. */
export function processorTimeOf(body: () => unknown): number {
  const start = processorTime()
  body()
  return processorTime() - start
}

/** Mean and half the width of its 95 % interval over independent values. */
export function meanWithInterval(values: readonly number[]): { mean: number; plusMinus: number } {
  const { mean, high } = estimate(values)
  return { mean, plusMinus: high - mean }
}
