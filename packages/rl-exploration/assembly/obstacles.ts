/** Moves the obstacles of Dynamic-Obstacles: each to a random empty place around it, or nowhere after 101 tries. */
import { drawBounded } from './pcg64'

/**
 * @param stream This environment's random stream, and `nextDraw` the address of its int32 count of used draws.
 * @param grid This environment's cells. `agent`: the agent's place.
 * @param obstacles Int32 places, `count` of them.
 * @param lastX Column (padding included) behind the grid's last one; `lastY` the row likewise.
 */
export function moveObstacles(
  stream: usize,
  nextDraw: usize,
  draws: i32,
  grid: usize,
  rowStride: i32,
  agent: i32,
  obstacles: usize,
  count: i32,
  lastX: i32,
  lastY: i32,
): void {
  for (let k = 0; k < count; k++) {
    const at = obstacles + ((<usize>k) << 2)
    const from = load<i32>(at)
    const left = from % rowStride - 1
    const top = from / rowStride - 1
    const columns = min(3, lastX - left)
    const rows = min(3, lastY - top)
    for (let tries = 0; tries <= 100; tries++) {
      const x = left + drawBounded(stream, nextDraw, draws, columns)
      const to = (top + drawBounded(stream, nextDraw, draws, rows)) * rowStride + x
      if (load<u8>(grid + to) != 0 || to == agent) continue
      store<u8>(grid + to, load<u8>(grid + from))
      store<u8>(grid + from, 0)
      store<i32>(at, to)
      break
    }
  }
}
