/** Times two contestants in turns, so that both see the same machine. */
import type { Contestants } from './stock-and-ours'

export interface Timing {
  /** Medians, in milliseconds per call. */
  stock: number
  ours: number
}

export interface MeasureOptions {
  /** Wall time for a pair, after warming up. @default 600 */
  milliseconds?: number
  /** At least this many rounds. @default 3 */
  rounds?: number
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Milliseconds of one call, over as many calls as make a millisecond. */
function timed(body: () => void, calls: number): number {
  const start = performance.now()
  for (let i = 0; i < calls; i++) body()
  return (performance.now() - start) / calls
}

/**
 * The engine optimizes hot functions in the background: warming up takes time, not a number of calls. Returns how many
 * calls to time together, so that the clock's resolution does not matter.
 */
export function warmUp(body: () => void, milliseconds = 300): number {
  const start = performance.now()
  let calls = 0
  do {
    body()
    calls++
  } while (performance.now() - start < milliseconds)
  return Math.max(1, Math.round((2 * calls) / (performance.now() - start)))
}

/** The same body under either contestant, in turns and in both orders. Choosing a contestant is not timed. */
export function inTurns(
  body: () => void,
  { useStock, useOurs }: Contestants,
  { milliseconds = 600, rounds = 3 }: MeasureOptions = {},
): Timing {
  const prepare = (use: () => void) => {
    use()
    return warmUp(body)
  }
  const calls = { stock: prepare(useStock), ours: prepare(useOurs) }
  const times = { stock: [] as number[], ours: [] as number[] }
  const turn = (side: 'stock' | 'ours') => {
    if (side === 'stock') useStock()
    else useOurs()
    times[side].push(timed(body, calls[side]))
  }
  const end = performance.now() + milliseconds
  for (let round = 0; round < rounds || performance.now() < end; round++)
    for (const side of round % 2 ? (['ours', 'stock'] as const) : (['stock', 'ours'] as const)) turn(side)
  useOurs()
  return { stock: median(times.stock), ours: median(times.ours) }
}

export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
