/** One row times a matrix: bound by reading the matrix, so nothing is packed. */
import { madd, sumLanes } from './simd'

/** c [n] = alpha a [k] op(B), plus what c held if `accumulate`. The elements of a are `aStep` bytes apart. */
export function multiplyRow(
  transposeB: bool,
  n: i32,
  k: i32,
  alpha: f32,
  a: usize,
  aStep: usize,
  b: usize,
  ldb: i32,
  c: usize,
  accumulate: bool,
): void {
  if (transposeB) dotRows(n, k, alpha, a, aStep, b, <usize>ldb << 2, c, accumulate)
  else addRows(n, k, alpha, a, aStep, b, <usize>ldb << 2, c, accumulate)
}

/** B is [k, n]: c is a sum of its rows, four at a time, so that c is read and written once for four. */
function addRows(
  n: i32,
  k: i32,
  alpha: f32,
  a: usize,
  aStep: usize,
  b: usize,
  rowBytes: usize,
  c: usize,
  accumulate: bool,
): void {
  if (!accumulate) memory.fill(c, 0, n << 2)
  const whole = n & ~3
  let p = 0
  for (; p + 4 <= k; p += 4) {
    const s0: f32 = load<f32>(a) * alpha
    const s1: f32 = load<f32>(a + aStep) * alpha
    const s2: f32 = load<f32>(a + 2 * aStep) * alpha
    const s3: f32 = load<f32>(a + 3 * aStep) * alpha
    const v0 = f32x4.splat(s0)
    const v1 = f32x4.splat(s1)
    const v2 = f32x4.splat(s2)
    const v3 = f32x4.splat(s3)
    const b1 = b + rowBytes
    const b2 = b1 + rowBytes
    const b3 = b2 + rowBytes
    let j = 0
    for (; j < whole; j += 4) {
      const o = j << 2
      const low = madd(v1, v128.load(b1 + o), madd(v0, v128.load(b + o), v128.load(c + o)))
      v128.store(c + o, madd(v3, v128.load(b3 + o), madd(v2, v128.load(b2 + o), low)))
    }
    for (; j < n; j++) {
      const o = j << 2
      const low: f32 = load<f32>(c + o) + s0 * load<f32>(b + o) + s1 * load<f32>(b1 + o)
      store<f32>(c + o, low + s2 * load<f32>(b2 + o) + s3 * load<f32>(b3 + o))
    }
    a += 4 * aStep
    b = b3 + rowBytes
  }
  for (; p < k; p++) {
    const s: f32 = load<f32>(a) * alpha
    const v = f32x4.splat(s)
    let j = 0
    for (; j < whole; j += 4) {
      const o = j << 2
      v128.store(c + o, madd(v, v128.load(b + o), v128.load(c + o)))
    }
    for (; j < n; j++) {
      const o = j << 2
      store<f32>(c + o, load<f32>(c + o) + s * load<f32>(b + o))
    }
    a += aStep
    b += rowBytes
  }
}

/** B is [n, k]: each element of c is the product of a and a row. */
function dotRows(
  n: i32,
  k: i32,
  alpha: f32,
  a: usize,
  aStep: usize,
  b: usize,
  rowBytes: usize,
  c: usize,
  accumulate: bool,
): void {
  const whole = aStep == 4 ? k & ~15 : 0
  for (let j = 0; j < n; j++) {
    let d0 = f32x4.splat(0)
    let d1 = d0
    let d2 = d0
    let d3 = d0
    let p = 0
    for (; p < whole; p += 16) {
      const o = p << 2
      d0 = madd(v128.load(a + o), v128.load(b + o), d0)
      d1 = madd(v128.load(a + o, 16), v128.load(b + o, 16), d1)
      d2 = madd(v128.load(a + o, 32), v128.load(b + o, 32), d2)
      d3 = madd(v128.load(a + o, 48), v128.load(b + o, 48), d3)
    }
    let dot = sumLanes(f32x4.add(f32x4.add(d0, d1), f32x4.add(d2, d3)))
    for (; p < k; p++) dot += load<f32>(a + p * aStep) * load<f32>(b + (p << 2))
    store<f32>(c, accumulate ? load<f32>(c) + alpha * dot : alpha * dot)
    b += rowBytes
    c += 4
  }
}
