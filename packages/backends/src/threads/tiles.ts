/** Cuts a job into tiles. */
import { maxTiles } from './job'

/** Nanoseconds. A tile that takes less is not worth the hand-over to a worker. */
const shortestTile = 15_000
/** More tiles than threads, so that no thread waits long for the last, pay from here: each packs operands of its own. */
const longTile = 60_000
const perThread = 2

/**
 * Start and length of each tile of `length` items, each of which takes about `cost` nanoseconds on one thread. One tile if
 * sharing does not pay. Tiles begin at multiples of `multiple`; a short rest joins the tile before.
 */
export function cutIntoTiles(
  length: number,
  { cost, threads, multiple }: { cost: number; threads: number; multiple: number },
): [start: number, count: number][] {
  const atMost = (shortest: number, tiles: number) => Math.min(Math.floor((length * cost) / shortest), tiles)
  const wanted = Math.min(
    Math.max(atMost(shortestTile, threads), atMost(longTile, perThread * threads)),
    maxTiles,
  )
  const size = Math.ceil(length / Math.max(wanted, 1) / multiple) * multiple
  const tiles = Math.max(1, Math.round(length / size))
  return Array.from({ length: tiles }, (_, i) => {
    const start = i * size
    return [start, i === tiles - 1 ? length - start : size]
  })
}
