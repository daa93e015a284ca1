/** Times two contestants in turns, so that both see the same machine. */
import { median, processorTime } from '@tfgraft/bench/measure'
import type { Contestants } from './stock-and-ours'

export interface Timing {
  /** Medians, in milliseconds per call. */
  stock: number
  ours: number
}

export interface MeasureOptions {
  /** Time for a pair, after warming up. @default 200 */
  milliseconds?: number
  /** At least this many rounds. @default 3 */
  rounds?: number
}

/** Milliseconds of one call, over several calls. */
export function timed(body: () => void, calls = 1): number {
  const start = processorTime()
  for (let i = 0; i < calls; i++) body()
  return (processorTime() - start) / calls
}

/** Warms up, and returns how many calls make 3 ms, so that the clock's resolution does not matter. */
export function warmUp(body: () => void, milliseconds = 100): number {
  const start = processorTime()
  let calls = 0
  do {
    body()
    calls++
  } while (processorTime() - start < milliseconds)
  return Math.max(1, Math.ceil((3 * calls) / (processorTime() - start)))
}

/** The same body under either contestant, in turns and in both orders. Choosing a contestant is not timed. */
export function inTurns(
  body: () => void,
  { useStock, useOurs }: Contestants,
  { milliseconds = 200, rounds = 3 }: MeasureOptions = {},
): Timing {
  const prepare = (use: () => void) => {
    use()
    return warmUp(body)
  }
  const calls = { ours: prepare(useOurs), stock: prepare(useStock) }
  const times = { stock: [] as number[], ours: [] as number[] }
  const turn = (side: 'stock' | 'ours') => {
    if (side === 'stock') useStock()
    else useOurs()
    times[side].push(timed(body, calls[side]))
  }
  // What takes seconds is measured once more than its warm-up.
  const slow = calls.stock === 1 && timed(body) > 400
  const enough = slow ? 1 : rounds
  const end = processorTime() + (slow ? 0 : milliseconds)
  for (let round = 0; round < enough || processorTime() < end; round++)
    for (const side of round % 2 ? (['ours', 'stock'] as const) : (['stock', 'ours'] as const)) turn(side)
  useOurs()
  return { stock: median(times.stock), ours: median(times.ours) }
}
