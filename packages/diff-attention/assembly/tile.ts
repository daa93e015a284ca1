/**
 * Matrix products of padded tiles: C [rows, columns] (+)= A B.
 *
 * B is packed into panels of 8 columns, `[panel][k][8]`. A tile is 4 x 8: eight sums, four broadcast values of A, two vectors of B
 * and a product take the 15 vector registers that V8 hands out. A wider tile spills, as do loads that V8 may move to the front of
 * several steps: hence a branch between the steps of a turn (turns of one step are 6 % slower). Rows are padded to multiples of 4 and columns to multiples of
 * 4 by the caller, so there are no other tails than narrow last panels.
 */
import { madd } from '../../backends/assembly/simd'

/** Columns of a panel. */
export const PANEL = 8

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function storeRow(at: usize, x: v128, y: v128, wide: bool, accumulate: bool): void {
  if (accumulate) {
    v128.store(at, f32x4.add(v128.load(at), x))
    if (wide) v128.store(at, f32x4.add(v128.load(at, 16), y), 16)
  } else {
    v128.store(at, x)
    if (wide) v128.store(at, y, 16)
  }
}

/**
 * One tile. Rows of A are `rowStep` bytes apart, a row's next value is `kStep` bytes further: so A or its transpose. The matrix product of
 * `backends` has a tile of its own, whose packed A needs one pointer for four here, 3 % of its time.
 */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function tile(
  a: usize,
  rowStep: usize,
  kStep: usize,
  k: i32,
  b: usize,
  c: usize,
  cStride: usize,
  wide: bool,
  accumulate: bool,
): void {
  let a0 = a
  let a1 = a + rowStep
  let a2 = a1 + rowStep
  let a3 = a2 + rowStep
  let c00 = f32x4.splat(0)
  let c01 = c00
  let c10 = c00
  let c11 = c00
  let c20 = c00
  let c21 = c00
  let c30 = c00
  let c31 = c00
  const end = b + (<usize>k << 5)
  while (b < end) {
    {
      const x = v128.load(b)
      const y = v128.load(b, 16)
      let s = v128.load_splat<f32>(a0)
      c00 = madd(s, x, c00)
      c01 = madd(s, y, c01)
      s = v128.load_splat<f32>(a1)
      c10 = madd(s, x, c10)
      c11 = madd(s, y, c11)
      s = v128.load_splat<f32>(a2)
      c20 = madd(s, x, c20)
      c21 = madd(s, y, c21)
      s = v128.load_splat<f32>(a3)
      c30 = madd(s, x, c30)
      c31 = madd(s, y, c31)
      a0 += kStep
      a1 += kStep
      a2 += kStep
      a3 += kStep
      b += 32
    }
    if (b == end) break
    {
      const x = v128.load(b)
      const y = v128.load(b, 16)
      let s = v128.load_splat<f32>(a0)
      c00 = madd(s, x, c00)
      c01 = madd(s, y, c01)
      s = v128.load_splat<f32>(a1)
      c10 = madd(s, x, c10)
      c11 = madd(s, y, c11)
      s = v128.load_splat<f32>(a2)
      c20 = madd(s, x, c20)
      c21 = madd(s, y, c21)
      s = v128.load_splat<f32>(a3)
      c30 = madd(s, x, c30)
      c31 = madd(s, y, c31)
      a0 += kStep
      a1 += kStep
      a2 += kStep
      a3 += kStep
      b += 32
    }
    if (b == end) break
    {
      const x = v128.load(b)
      const y = v128.load(b, 16)
      let s = v128.load_splat<f32>(a0)
      c00 = madd(s, x, c00)
      c01 = madd(s, y, c01)
      s = v128.load_splat<f32>(a1)
      c10 = madd(s, x, c10)
      c11 = madd(s, y, c11)
      s = v128.load_splat<f32>(a2)
      c20 = madd(s, x, c20)
      c21 = madd(s, y, c21)
      s = v128.load_splat<f32>(a3)
      c30 = madd(s, x, c30)
      c31 = madd(s, y, c31)
      a0 += kStep
      a1 += kStep
      a2 += kStep
      a3 += kStep
      b += 32
    }
    if (b == end) break
    {
      const x = v128.load(b)
      const y = v128.load(b, 16)
      let s = v128.load_splat<f32>(a0)
      c00 = madd(s, x, c00)
      c01 = madd(s, y, c01)
      s = v128.load_splat<f32>(a1)
      c10 = madd(s, x, c10)
      c11 = madd(s, y, c11)
      s = v128.load_splat<f32>(a2)
      c20 = madd(s, x, c20)
      c21 = madd(s, y, c21)
      s = v128.load_splat<f32>(a3)
      c30 = madd(s, x, c30)
      c31 = madd(s, y, c31)
      a0 += kStep
      a1 += kStep
      a2 += kStep
      a3 += kStep
      b += 32
    }
  }
  storeRow(c, c00, c01, wide, accumulate)
  storeRow(c + cStride, c10, c11, wide, accumulate)
  storeRow(c + 2 * cStride, c20, c21, wide, accumulate)
  storeRow(c + 3 * cStride, c30, c31, wide, accumulate)
}

/**
 * C = A B, with A [rows, k]; `rows` and `columns` are multiples of 4. `panelBytes` is the distance of the panels of B, which may
 * hold more than k rows.
 */
export function multiply(
  a: usize,
  aStride: usize,
  rows: i32,
  k: i32,
  b: usize,
  panelBytes: usize,
  columns: i32,
  c: usize,
  cStride: usize,
): void {
  for (let column = 0; column < columns; column += PANEL) {
    const wide = columns - column > 4
    let at = a
    let out = c + (column << 2)
    for (let row = 0; row < rows; row += 4) {
      tile(at, aStride, 4, k, b, out, cStride, wide, false)
      at += aStride << 2
      out += cStride << 2
    }
    b += panelBytes
  }
}

/** C += A' B, with A [k, rows]. */
export function accumulateTransposed(
  a: usize,
  aStride: usize,
  rows: i32,
  k: i32,
  b: usize,
  panelBytes: usize,
  columns: i32,
  c: usize,
  cStride: usize,
): void {
  for (let column = 0; column < columns; column += PANEL) {
    const wide = columns - column > 4
    let at = a
    let out = c + (column << 2)
    for (let row = 0; row < rows; row += 4) {
      tile(at, 4, aStride, k, b, out, cStride, wide, true)
      at += 16
      out += cStride << 2
    }
    b += panelBytes
  }
}
