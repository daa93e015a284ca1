/** Softmax of rows of logits, in place. Logits are in units of ln 2, so that powers of two serve as exponentials. */
import { madd, sumLanes } from '../../backends/assembly/simd'

export const LOG2_E: f32 = 1.4426950408889634

/**
 * 2^x for x <= 0, relative error below 2e-7; below -126 it is 2^-126. NaN gives NaN.
 *
 * x = n + f with n the nearest integer: adding 1.5 * 2^23 leaves n in the low bits of the sum, and those move into the
 * exponent of the polynomial for 2^f (Chebyshev nodes on [-1/2, 1/2], constant term rounded to 1 so that 2^0 = 1).
 */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function exp2(x: v128): v128 {
  const clamped = f32x4.pmax(x, f32x4.splat(-126)) // x if it is NaN
  const shifted = f32x4.add(clamped, f32x4.splat(12582912))
  const f = f32x4.sub(clamped, f32x4.sub(shifted, f32x4.splat(12582912)))
  let p = f32x4.splat(0.0013390863364764831)
  p = madd(p, f, f32x4.splat(0.00967603191832597))
  p = madd(p, f, f32x4.splat(0.05550357114219032))
  p = madd(p, f, f32x4.splat(0.2402210748530827))
  p = madd(p, f, f32x4.splat(0.6931471880262285))
  p = madd(p, f, f32x4.splat(1))
  return i32x4.add(p, i32x4.shl(shifted, 23))
}

/** s += log2(e) * bias, over `n` logits. */
export function addBias(s: usize, bias: usize, n: i32): void {
  const unit = f32x4.splat(LOG2_E)
  let i = 0
  for (; i + 4 <= n; i += 4) {
    const at = i << 2
    v128.store(s + at, madd(v128.load(bias + at), unit, v128.load(s + at)))
  }
  for (; i < n; i++) store<f32>(s + (i << 2), load<f32>(s + (i << 2)) + load<f32>(bias + (i << 2)) * LOG2_E)
}

/**
 * Replaces the first `n` logits of a row by exponentials relative to their maximum, and those up to `end` by zeros. `s` has room
 * for the next multiple of 4. Returns 1 / sum, or 0 when all logits are -Infinity; then all are zeros.
 */
export function exponentials(s: usize, n: i32, end: i32): f32 {
  const lowest: f32 = -f32.MAX_VALUE
  const padded = (n + 3) & ~3
  for (let i = n; i < padded; i++) store<f32>(s + (i << 2), -Infinity)
  const pairs = padded & ~7
  let top = f32x4.splat(-Infinity)
  let next = top
  for (let i = 0; i < pairs; i += 8) {
    top = f32x4.pmax(top, v128.load(s + (i << 2)))
    next = f32x4.pmax(next, v128.load(s + (i << 2), 16))
  }
  if (pairs < padded) top = f32x4.pmax(top, v128.load(s + (pairs << 2)))
  top = f32x4.pmax(top, next)
  const max: f32 = Mathf.max(
    Mathf.max(f32x4.extract_lane(top, 0), f32x4.extract_lane(top, 1)),
    Mathf.max(f32x4.extract_lane(top, 2), f32x4.extract_lane(top, 3)),
  )
  // A row of -Infinity, or no row at all. NaN logits do not take this branch: they reach the sum below.
  if (max < lowest && !hasNaN(s, padded)) {
    memory.fill(s, 0, end << 2)
    return 0
  }
  const shift = f32x4.splat(max)
  // Two vectors at a time share the constants, which V8 makes anew in each turn of a loop.
  let sums = f32x4.splat(0)
  for (let i = 0; i < pairs; i += 8) {
    const at = s + (i << 2)
    const x = exp2(f32x4.sub(v128.load(at), shift))
    const y = exp2(f32x4.sub(v128.load(at, 16), shift))
    v128.store(at, x)
    v128.store(at, y, 16)
    sums = f32x4.add(sums, f32x4.add(x, y))
  }
  if (pairs < padded) {
    const at = s + (pairs << 2)
    const x = exp2(f32x4.sub(v128.load(at), shift))
    v128.store(at, x)
    sums = f32x4.add(sums, x)
  }
  if (end > n) memory.fill(s + (n << 2), 0, (end - n) << 2)
  return 1 / sumLanes(sums)
}

function hasNaN(s: usize, n: i32): bool {
  for (let i = 0; i < n; i++) {
    const x = load<f32>(s + (i << 2))
    if (x != x) return true
  }
  return false
}
