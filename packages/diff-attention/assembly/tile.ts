/**
 * Matrix products of padded tiles: C [rows, columns] (+)= A B.
 *
 * B is packed into panels of 12 columns, `[panel][k][12]`. A tile is 4 x 12: twelve accumulators, four broadcast values of A
 * and three vectors of B fill 15 to 16 of the vector registers of x86; wider tiles spill. Rows are padded to multiples of 4
 * and columns to multiples of 4 by the caller, so there are no other tails than narrow last panels.
 */
import { madd } from '../../backends/assembly/simd'

/** Columns of a panel. */
export const PANEL = 12

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function storeRow(at: usize, x: v128, y: v128, z: v128, vectors: i32, accumulate: bool): void {
  if (accumulate) {
    v128.store(at, f32x4.add(v128.load(at), x))
    if (vectors > 1) v128.store(at, f32x4.add(v128.load(at, 16), y), 16)
    if (vectors > 2) v128.store(at, f32x4.add(v128.load(at, 32), z), 32)
  } else {
    v128.store(at, x)
    if (vectors > 1) v128.store(at, y, 16)
    if (vectors > 2) v128.store(at, z, 32)
  }
}

/** One tile, of rows of A as they are: row i starts at `a + i * aStride`. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function rowsTile(
  a: usize,
  aStride: usize,
  k: i32,
  b: usize,
  c: usize,
  cStride: usize,
  vectors: i32,
  accumulate: bool,
): void {
  let a0 = a
  let a1 = a + aStride
  let a2 = a1 + aStride
  let a3 = a2 + aStride
  let c00 = f32x4.splat(0)
  let c01 = c00
  let c02 = c00
  let c10 = c00
  let c11 = c00
  let c12 = c00
  let c20 = c00
  let c21 = c00
  let c22 = c00
  let c30 = c00
  let c31 = c00
  let c32 = c00
  let x: v128
  let y: v128
  let z: v128
  let s: v128
  for (let i = k >> 1; i > 0; i--) {
    x = v128.load(b)
    y = v128.load(b, 16)
    z = v128.load(b, 32)
    s = v128.load_splat<f32>(a0)
    c00 = madd(s, x, c00)
    c01 = madd(s, y, c01)
    c02 = madd(s, z, c02)
    s = v128.load_splat<f32>(a1)
    c10 = madd(s, x, c10)
    c11 = madd(s, y, c11)
    c12 = madd(s, z, c12)
    s = v128.load_splat<f32>(a2)
    c20 = madd(s, x, c20)
    c21 = madd(s, y, c21)
    c22 = madd(s, z, c22)
    s = v128.load_splat<f32>(a3)
    c30 = madd(s, x, c30)
    c31 = madd(s, y, c31)
    c32 = madd(s, z, c32)
    x = v128.load(b, 48)
    y = v128.load(b, 64)
    z = v128.load(b, 80)
    s = v128.load_splat<f32>(a0, 4)
    c00 = madd(s, x, c00)
    c01 = madd(s, y, c01)
    c02 = madd(s, z, c02)
    s = v128.load_splat<f32>(a1, 4)
    c10 = madd(s, x, c10)
    c11 = madd(s, y, c11)
    c12 = madd(s, z, c12)
    s = v128.load_splat<f32>(a2, 4)
    c20 = madd(s, x, c20)
    c21 = madd(s, y, c21)
    c22 = madd(s, z, c22)
    s = v128.load_splat<f32>(a3, 4)
    c30 = madd(s, x, c30)
    c31 = madd(s, y, c31)
    c32 = madd(s, z, c32)
    b += 96
    a0 += 8
    a1 += 8
    a2 += 8
    a3 += 8
  }
  if (k & 1) {
    x = v128.load(b)
    y = v128.load(b, 16)
    z = v128.load(b, 32)
    s = v128.load_splat<f32>(a0)
    c00 = madd(s, x, c00)
    c01 = madd(s, y, c01)
    c02 = madd(s, z, c02)
    s = v128.load_splat<f32>(a1)
    c10 = madd(s, x, c10)
    c11 = madd(s, y, c11)
    c12 = madd(s, z, c12)
    s = v128.load_splat<f32>(a2)
    c20 = madd(s, x, c20)
    c21 = madd(s, y, c21)
    c22 = madd(s, z, c22)
    s = v128.load_splat<f32>(a3)
    c30 = madd(s, x, c30)
    c31 = madd(s, y, c31)
    c32 = madd(s, z, c32)
  }
  storeRow(c, c00, c01, c02, vectors, accumulate)
  storeRow(c + cStride, c10, c11, c12, vectors, accumulate)
  storeRow(c + 2 * cStride, c20, c21, c22, vectors, accumulate)
  storeRow(c + 3 * cStride, c30, c31, c32, vectors, accumulate)
}

/** One tile, of A transposed: its four values for each k are neighbours, `aStride` further for the next k. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function columnsTile(
  a: usize,
  aStride: usize,
  k: i32,
  b: usize,
  c: usize,
  cStride: usize,
  vectors: i32,
  accumulate: bool,
): void {
  let c00 = f32x4.splat(0)
  let c01 = c00
  let c02 = c00
  let c10 = c00
  let c11 = c00
  let c12 = c00
  let c20 = c00
  let c21 = c00
  let c22 = c00
  let c30 = c00
  let c31 = c00
  let c32 = c00
  let x: v128
  let y: v128
  let z: v128
  let s: v128
  for (let i = k >> 1; i > 0; i--) {
    x = v128.load(b)
    y = v128.load(b, 16)
    z = v128.load(b, 32)
    s = v128.load_splat<f32>(a)
    c00 = madd(s, x, c00)
    c01 = madd(s, y, c01)
    c02 = madd(s, z, c02)
    s = v128.load_splat<f32>(a, 4)
    c10 = madd(s, x, c10)
    c11 = madd(s, y, c11)
    c12 = madd(s, z, c12)
    s = v128.load_splat<f32>(a, 8)
    c20 = madd(s, x, c20)
    c21 = madd(s, y, c21)
    c22 = madd(s, z, c22)
    s = v128.load_splat<f32>(a, 12)
    c30 = madd(s, x, c30)
    c31 = madd(s, y, c31)
    c32 = madd(s, z, c32)
    a += aStride
    x = v128.load(b, 48)
    y = v128.load(b, 64)
    z = v128.load(b, 80)
    s = v128.load_splat<f32>(a)
    c00 = madd(s, x, c00)
    c01 = madd(s, y, c01)
    c02 = madd(s, z, c02)
    s = v128.load_splat<f32>(a, 4)
    c10 = madd(s, x, c10)
    c11 = madd(s, y, c11)
    c12 = madd(s, z, c12)
    s = v128.load_splat<f32>(a, 8)
    c20 = madd(s, x, c20)
    c21 = madd(s, y, c21)
    c22 = madd(s, z, c22)
    s = v128.load_splat<f32>(a, 12)
    c30 = madd(s, x, c30)
    c31 = madd(s, y, c31)
    c32 = madd(s, z, c32)
    a += aStride
    b += 96
  }
  if (k & 1) {
    x = v128.load(b)
    y = v128.load(b, 16)
    z = v128.load(b, 32)
    s = v128.load_splat<f32>(a)
    c00 = madd(s, x, c00)
    c01 = madd(s, y, c01)
    c02 = madd(s, z, c02)
    s = v128.load_splat<f32>(a, 4)
    c10 = madd(s, x, c10)
    c11 = madd(s, y, c11)
    c12 = madd(s, z, c12)
    s = v128.load_splat<f32>(a, 8)
    c20 = madd(s, x, c20)
    c21 = madd(s, y, c21)
    c22 = madd(s, z, c22)
    s = v128.load_splat<f32>(a, 12)
    c30 = madd(s, x, c30)
    c31 = madd(s, y, c31)
    c32 = madd(s, z, c32)
  }
  storeRow(c, c00, c01, c02, vectors, accumulate)
  storeRow(c + cStride, c10, c11, c12, vectors, accumulate)
  storeRow(c + 2 * cStride, c20, c21, c22, vectors, accumulate)
  storeRow(c + 3 * cStride, c30, c31, c32, vectors, accumulate)
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
    const vectors = min(columns - column, PANEL) >> 2
    let at = a
    let out = c + (column << 2)
    for (let row = 0; row < rows; row += 4) {
      rowsTile(at, aStride, k, b, out, cStride, vectors, false)
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
    const vectors = min(columns - column, PANEL) >> 2
    let at = a
    let out = c + (column << 2)
    for (let row = 0; row < rows; row += 4) {
      columnsTile(at, aStride, k, b, out, cStride, vectors, true)
      at += 16
      out += cStride << 2
    }
    b += panelBytes
  }
}
