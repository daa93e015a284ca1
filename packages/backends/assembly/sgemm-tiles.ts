/** Register tiles of the matrix product. */
import { madd } from './simd'

/** A tile of C. `ap` holds 4 floats for each k; 12 floats of B for each k are `bStep` bytes apart. */
export function multiplyTile(
  ap: usize,
  bp: usize,
  bStep: usize,
  c: usize,
  rowBytes: usize,
  kc: i32,
  add: bool,
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
  for (let p = kc >> 1; p > 0; p--) {
    let b0 = v128.load(bp)
    let b1 = v128.load(bp, 16)
    let b2 = v128.load(bp, 32)
    let x = v128.load_splat<f32>(ap)
    c00 = madd(x, b0, c00)
    c01 = madd(x, b1, c01)
    c02 = madd(x, b2, c02)
    x = v128.load_splat<f32>(ap, 4)
    c10 = madd(x, b0, c10)
    c11 = madd(x, b1, c11)
    c12 = madd(x, b2, c12)
    x = v128.load_splat<f32>(ap, 8)
    c20 = madd(x, b0, c20)
    c21 = madd(x, b1, c21)
    c22 = madd(x, b2, c22)
    x = v128.load_splat<f32>(ap, 12)
    c30 = madd(x, b0, c30)
    c31 = madd(x, b1, c31)
    c32 = madd(x, b2, c32)
    bp += bStep
    b0 = v128.load(bp)
    b1 = v128.load(bp, 16)
    b2 = v128.load(bp, 32)
    x = v128.load_splat<f32>(ap, 16)
    c00 = madd(x, b0, c00)
    c01 = madd(x, b1, c01)
    c02 = madd(x, b2, c02)
    x = v128.load_splat<f32>(ap, 20)
    c10 = madd(x, b0, c10)
    c11 = madd(x, b1, c11)
    c12 = madd(x, b2, c12)
    x = v128.load_splat<f32>(ap, 24)
    c20 = madd(x, b0, c20)
    c21 = madd(x, b1, c21)
    c22 = madd(x, b2, c22)
    x = v128.load_splat<f32>(ap, 28)
    c30 = madd(x, b0, c30)
    c31 = madd(x, b1, c31)
    c32 = madd(x, b2, c32)
    ap += 32
    bp += bStep
  }
  if (kc & 1) {
    const b0 = v128.load(bp)
    const b1 = v128.load(bp, 16)
    const b2 = v128.load(bp, 32)
    let x = v128.load_splat<f32>(ap)
    c00 = madd(x, b0, c00)
    c01 = madd(x, b1, c01)
    c02 = madd(x, b2, c02)
    x = v128.load_splat<f32>(ap, 4)
    c10 = madd(x, b0, c10)
    c11 = madd(x, b1, c11)
    c12 = madd(x, b2, c12)
    x = v128.load_splat<f32>(ap, 8)
    c20 = madd(x, b0, c20)
    c21 = madd(x, b1, c21)
    c22 = madd(x, b2, c22)
    x = v128.load_splat<f32>(ap, 12)
    c30 = madd(x, b0, c30)
    c31 = madd(x, b1, c31)
    c32 = madd(x, b2, c32)
  }
  storeRow(c, c00, c01, c02, add)
  storeRow(c + rowBytes, c10, c11, c12, add)
  storeRow(c + 2 * rowBytes, c20, c21, c22, add)
  storeRow(c + 3 * rowBytes, c30, c31, c32, add)
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function storeRow(c: usize, c0: v128, c1: v128, c2: v128, add: bool): void {
  if (add) {
    v128.store(c, f32x4.add(v128.load(c), c0))
    v128.store(c, f32x4.add(v128.load(c, 16), c1), 16)
    v128.store(c, f32x4.add(v128.load(c, 32), c2), 32)
  } else {
    v128.store(c, c0)
    v128.store(c, c1, 16)
    v128.store(c, c2, 32)
  }
}

/** The first 8 columns of a tile, into a buffer of rows of 12: for the last panel of a narrow matrix. */
export function multiplyTile8(ap: usize, bp: usize, tile: usize, kc: i32): void {
  let c00 = f32x4.splat(0)
  let c01 = c00
  let c10 = c00
  let c11 = c00
  let c20 = c00
  let c21 = c00
  let c30 = c00
  let c31 = c00
  for (let p = kc; p > 0; p--) {
    const b0 = v128.load(bp)
    const b1 = v128.load(bp, 16)
    let x = v128.load_splat<f32>(ap)
    c00 = madd(x, b0, c00)
    c01 = madd(x, b1, c01)
    x = v128.load_splat<f32>(ap, 4)
    c10 = madd(x, b0, c10)
    c11 = madd(x, b1, c11)
    x = v128.load_splat<f32>(ap, 8)
    c20 = madd(x, b0, c20)
    c21 = madd(x, b1, c21)
    x = v128.load_splat<f32>(ap, 12)
    c30 = madd(x, b0, c30)
    c31 = madd(x, b1, c31)
    ap += 16
    bp += 48
  }
  v128.store(tile, c00)
  v128.store(tile, c01, 16)
  v128.store(tile, c10, 48)
  v128.store(tile, c11, 64)
  v128.store(tile, c20, 96)
  v128.store(tile, c21, 112)
  v128.store(tile, c30, 144)
  v128.store(tile, c31, 160)
}

/** The first 4 columns of a tile. Even and odd k have sums of their own, or additions would wait for each other. */
export function multiplyTile4(ap: usize, bp: usize, tile: usize, kc: i32): void {
  let c0 = f32x4.splat(0)
  let c1 = c0
  let c2 = c0
  let c3 = c0
  let d0 = c0
  let d1 = c0
  let d2 = c0
  let d3 = c0
  for (let p = kc >> 1; p > 0; p--) {
    const b0 = v128.load(bp)
    const b1 = v128.load(bp, 48)
    c0 = madd(v128.load_splat<f32>(ap), b0, c0)
    c1 = madd(v128.load_splat<f32>(ap, 4), b0, c1)
    c2 = madd(v128.load_splat<f32>(ap, 8), b0, c2)
    c3 = madd(v128.load_splat<f32>(ap, 12), b0, c3)
    d0 = madd(v128.load_splat<f32>(ap, 16), b1, d0)
    d1 = madd(v128.load_splat<f32>(ap, 20), b1, d1)
    d2 = madd(v128.load_splat<f32>(ap, 24), b1, d2)
    d3 = madd(v128.load_splat<f32>(ap, 28), b1, d3)
    ap += 32
    bp += 96
  }
  if (kc & 1) {
    const b0 = v128.load(bp)
    c0 = madd(v128.load_splat<f32>(ap), b0, c0)
    c1 = madd(v128.load_splat<f32>(ap, 4), b0, c1)
    c2 = madd(v128.load_splat<f32>(ap, 8), b0, c2)
    c3 = madd(v128.load_splat<f32>(ap, 12), b0, c3)
  }
  v128.store(tile, f32x4.add(c0, d0))
  v128.store(tile, f32x4.add(c1, d1), 48)
  v128.store(tile, f32x4.add(c2, d2), 96)
  v128.store(tile, f32x4.add(c3, d3), 144)
}
