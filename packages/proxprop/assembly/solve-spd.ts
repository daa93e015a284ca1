/** (A + ridge I)^-1 B by Cholesky and two triangular solves, 8 columns of B at a time. */
import { factor } from '../../backends/assembly/cholesky'
import { packTile, tileColumns, unpackTile } from '../../backends/assembly/column-tile'
import { solveLower, solveTransposed } from '../../backends/assembly/triangular-solve'

/** A part of the trace that float32 cannot tell from rounding. */
const epsilon: f32 = 1.1920928955078125e-7

/**
 * `a` [n, n], `b` and `x` [n, m], `ridge` a scalar. `work` has padded (padded + 9) floats, padded being n rounded up
 * to a multiple of 4.
 */
export function solveSpd(a: usize, b: usize, ridge: usize, x: usize, work: usize, n: i32, m: i32): void {
  const padded = (n + 3) & ~3
  const inverses = work + ((<usize>padded * padded) << 2)
  const tile = inverses + (<usize>padded << 2)
  let trace: f64 = 0
  for (let i = 0; i < n; i++) trace += load<f32>(a + ((<usize>i * n + i) << 2))
  const floor = <f32>trace * epsilon
  factor(a, work, inverses, n, padded, max<f32>(load<f32>(ridge), floor), floor)
  for (let column = 0; column < m; column += tileColumns) {
    packTile(b, tile, n, m, padded, column)
    solveLower(work, inverses, tile, padded)
    solveTransposed(work, inverses, tile, padded)
    unpackTile(tile, x, n, m, column)
  }
}
