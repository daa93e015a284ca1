/** The Gaussian error linear unit, exact and by tanh, with its gradient, and the gradient of the error function: one pass each. */
import { erf, exp, sigmoid } from './math'
import { loadPart, madd, storePart } from './simd'

const SQRT_1_2: f32 = 0.7071067811865476
/** 1 / sqrt(2 pi) */
const DENSITY_0: f32 = 0.3989422804014327
/** 2 / sqrt(pi) */
const ERF_SLOPE_0: f32 = 1.1283791670955126
/** 2 sqrt(2 / pi), and that times 0.044715: (1 + tanh(z)) / 2 is sigmoid(2 z), which does not cancel. */
const INNER_1: f32 = 1.5957691216057308
const INNER_3: f32 = 0.07135481627260025

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function inner(x: v128): v128 {
  return f32x4.mul(x, madd(f32x4.mul(x, x), f32x4.splat(INNER_3), f32x4.splat(INNER_1)))
}

/** x Phi(x) = x (1 + erf(x / sqrt 2)) / 2, or x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function value(approximate: bool, x: v128): v128 {
  if (approximate) return f32x4.mul(x, sigmoid(inner(x)))
  const half = f32x4.mul(x, f32x4.splat(0.5))
  return madd(half, erf(f32x4.mul(x, f32x4.splat(SQRT_1_2))), half)
}

/** Phi(x) + x phi(x), or the derivative of the form with tanh. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function slope(approximate: bool, x: v128): v128 {
  const half = f32x4.splat(0.5)
  const square = f32x4.mul(x, x)
  if (approximate) {
    const s = sigmoid(inner(x))
    const dInner = madd(square, f32x4.splat(3 * INNER_3), f32x4.splat(INNER_1))
    const ds = f32x4.mul(f32x4.mul(s, f32x4.sub(f32x4.splat(1), s)), dInner)
    return madd(x, ds, s)
  }
  const density = f32x4.mul(exp(f32x4.mul(square, f32x4.splat(-0.5))), f32x4.splat(DENSITY_0))
  return madd(x, density, madd(half, erf(f32x4.mul(x, f32x4.splat(SQRT_1_2))), half))
}

export function gelu(approximate: bool, x: usize, y: usize, n: i32): void {
  let i = 0
  for (; i + 4 <= n; i += 4) v128.store(y + (<usize>i << 2), value(approximate, v128.load(x + (<usize>i << 2))))
  if (i < n) storePart(y + (<usize>i << 2), value(approximate, loadPart(x + (<usize>i << 2), n - i)), n - i)
}

export function geluGradient(approximate: bool, x: usize, dy: usize, dx: usize, n: i32): void {
  let i = 0
  for (; i + 4 <= n; i += 4) {
    const o = <usize>i << 2
    v128.store(dx + o, f32x4.mul(v128.load(dy + o), slope(approximate, v128.load(x + o))))
  }
  if (i < n) {
    const o = <usize>i << 2
    const d = f32x4.mul(loadPart(dy + o, n - i), slope(approximate, loadPart(x + o, n - i)))
    storePart(dx + o, d, n - i)
  }
}

/** dx = dy 2 / sqrt(pi) e^(-x^2) */
export function erfGradient(x: usize, dy: usize, dx: usize, n: i32): void {
  const scale = f32x4.splat(ERF_SLOPE_0)
  let i = 0
  for (; i + 4 <= n; i += 4) {
    const o = <usize>i << 2
    const v = v128.load(x + o)
    v128.store(dx + o, f32x4.mul(f32x4.mul(v128.load(dy + o), scale), exp(f32x4.neg(f32x4.mul(v, v)))))
  }
  if (i < n) {
    const o = <usize>i << 2
    const v = loadPart(x + o, n - i)
    storePart(dx + o, f32x4.mul(f32x4.mul(loadPart(dy + o, n - i), scale), exp(f32x4.neg(f32x4.mul(v, v)))), n - i)
  }
}
