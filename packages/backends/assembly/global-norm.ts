/** The norm of many tensors together, for clipping. */
import { sumLanes } from './simd'

/** Floats whose squares are summed in single precision, in 16 sums; blocks are added in double precision. */
const BLOCK = 4096

/** The number of blocks of `n` floats: of doubles that {@link sumSquares} writes. */
export function squareBlocks(n: i32): i32 {
  return (n + BLOCK - 1) / BLOCK
}

/** The sums of squares of `blocks` blocks from the `first` on, of `n` floats at `x`, to the doubles at `sums`. */
export function sumSquares(x: usize, n: i32, sums: usize, first: i32, blocks: i32): void {
  for (let block = first; block < first + blocks; block++) {
    const from = block * BLOCK
    const count = min(n - from, BLOCK)
    const p = x + (<usize>from << 2)
    let s0 = f32x4.splat(0)
    let s1 = s0
    let s2 = s0
    let s3 = s0
    let i = 0
    for (; i + 16 <= count; i += 16) {
      const at = p + (<usize>i << 2)
      const a = v128.load(at)
      const b = v128.load(at, 16)
      const c = v128.load(at, 32)
      const d = v128.load(at, 48)
      s0 = f32x4.add(s0, f32x4.mul(a, a))
      s1 = f32x4.add(s1, f32x4.mul(b, b))
      s2 = f32x4.add(s2, f32x4.mul(c, c))
      s3 = f32x4.add(s3, f32x4.mul(d, d))
    }
    let sum = <f64>sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)))
    for (; i < count; i++) {
      const value = <f64>load<f32>(p + (<usize>i << 2))
      sum += value * value
    }
    store<f64>(sums + (<usize>block << 3), sum)
  }
}

/** The root of the sum of `count` doubles. */
export function rootOfSum(sums: usize, count: i32): f64 {
  let sum: f64 = 0
  for (let i = 0; i < count; i++) sum += load<f64>(sums + (<usize>i << 3))
  return sqrt<f64>(sum)
}

/** y = factor x */
export function scaleFloats(x: usize, y: usize, n: i32, factor: f32): void {
  const factors = f32x4.splat(factor)
  let i = 0
  for (; i + 4 <= n; i += 4) v128.store(y + (<usize>i << 2), f32x4.mul(v128.load(x + (<usize>i << 2)), factors))
  for (; i < n; i++) store<f32>(y + (<usize>i << 2), load<f32>(x + (<usize>i << 2)) * factor)
}
