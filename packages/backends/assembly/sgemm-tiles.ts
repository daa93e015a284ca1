/**
 * Register tiles of the matrix product.
 *
 * A tile of 4 x 8 takes 8 of the 15 vector registers that V8 hands out, and leaves room for what a step needs: 2 vectors of B, 4 broadcast
 * values of A and a product. 4 x 12 has more arithmetic per load, but spills: V8 moves the loads of a block to its front, and a sum that
 * is spilled waits for its store in the next step (Node 20: 36 instead of 42 GFLOP/s in the first cache; Node 24 with fused
 * multiply-add: 39 instead of 50). For the same reason, the four steps of a turn have a branch between them, which no load crosses.
 */
import { madd } from './simd'

/** A tile of C [4, 8]. For each of `kc` steps, at least 1, `ap` holds 4 floats; 8 floats of B are `bStep` bytes apart. */
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
  let c10 = c00
  let c11 = c00
  let c20 = c00
  let c21 = c00
  let c30 = c00
  let c31 = c00
  const end = ap + (<usize>kc << 4)
  do {
    {
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
      bp += bStep
    }
    if (ap == end) break
    {
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
      bp += bStep
    }
    if (ap == end) break
    {
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
      bp += bStep
    }
    if (ap == end) break
    {
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
      bp += bStep
    }
  } while (ap < end)
  storeRow(c, c00, c01, add)
  storeRow(c + rowBytes, c10, c11, add)
  storeRow(c + 2 * rowBytes, c20, c21, add)
  storeRow(c + 3 * rowBytes, c30, c31, add)
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function storeRow(c: usize, c0: v128, c1: v128, add: bool): void {
  if (add) {
    v128.store(c, f32x4.add(v128.load(c), c0))
    v128.store(c, f32x4.add(v128.load(c, 16), c1), 16)
  } else {
    v128.store(c, c0)
    v128.store(c, c1, 16)
  }
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
    const b1 = v128.load(bp, 32)
    c0 = madd(v128.load_splat<f32>(ap), b0, c0)
    c1 = madd(v128.load_splat<f32>(ap, 4), b0, c1)
    c2 = madd(v128.load_splat<f32>(ap, 8), b0, c2)
    c3 = madd(v128.load_splat<f32>(ap, 12), b0, c3)
    d0 = madd(v128.load_splat<f32>(ap, 16), b1, d0)
    d1 = madd(v128.load_splat<f32>(ap, 20), b1, d1)
    d2 = madd(v128.load_splat<f32>(ap, 24), b1, d2)
    d3 = madd(v128.load_splat<f32>(ap, 28), b1, d3)
    ap += 32
    bp += 64
  }
  if (kc & 1) {
    const b0 = v128.load(bp)
    c0 = madd(v128.load_splat<f32>(ap), b0, c0)
    c1 = madd(v128.load_splat<f32>(ap, 4), b0, c1)
    c2 = madd(v128.load_splat<f32>(ap, 8), b0, c2)
    c3 = madd(v128.load_splat<f32>(ap, 12), b0, c3)
  }
  v128.store(tile, f32x4.add(c0, d0))
  v128.store(tile, f32x4.add(c1, d1), 32)
  v128.store(tile, f32x4.add(c2, d2), 64)
  v128.store(tile, f32x4.add(c3, d3), 96)
}

/**
 * The first 2 columns of a tile, by lanes of 4 rows: half the work of {@link multiplyTile4}. `tile` gets [row, column] in rows of 8.
 */
export function multiplyTile2(ap: usize, bp: usize, tile: usize, kc: i32): void {
  let c0 = f32x4.splat(0)
  let c1 = c0
  let d0 = c0
  let d1 = c0
  for (let p = kc >> 1; p > 0; p--) {
    const a0 = v128.load(ap)
    c0 = madd(a0, v128.load_splat<f32>(bp), c0)
    c1 = madd(a0, v128.load_splat<f32>(bp, 4), c1)
    const a1 = v128.load(ap, 16)
    d0 = madd(a1, v128.load_splat<f32>(bp, 32), d0)
    d1 = madd(a1, v128.load_splat<f32>(bp, 36), d1)
    ap += 32
    bp += 64
  }
  if (kc & 1) {
    const a0 = v128.load(ap)
    c0 = madd(a0, v128.load_splat<f32>(bp), c0)
    c1 = madd(a0, v128.load_splat<f32>(bp, 4), c1)
  }
  c0 = f32x4.add(c0, d0)
  c1 = f32x4.add(c1, d1)
  v128.store64_lane(tile, v128.shuffle<f32>(c0, c1, 0, 4, 1, 5), 0)
  v128.store64_lane(tile, v128.shuffle<f32>(c0, c1, 0, 4, 1, 5), 1, 32)
  v128.store64_lane(tile, v128.shuffle<f32>(c0, c1, 2, 6, 3, 7), 0, 64)
  v128.store64_lane(tile, v128.shuffle<f32>(c0, c1, 2, 6, 3, 7), 1, 96)
}
