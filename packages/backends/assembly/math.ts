/**
 * Elementary functions on four floats. The polynomials are Chebyshev fits, made with mpmath to more digits than float32
 * holds; `elementwise.test.ts` holds each function to a few units in the last place. NaN in, NaN out.
 */
import { madd } from './simd'

const LN2_HIGH: f32 = 0.693145751953125 // 12 bits, so that its products with exponents are exact
const LN2_LOW: f32 = 1.428606765330187e-6

/** e^x. Overflows to infinity above 88.72; below -104 it is 0. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function exp(x: v128): v128 {
  // Beyond these nothing changes, and the exponent below still fits.
  const bounded = f32x4.min(f32x4.max(x, f32x4.splat(-110)), f32x4.splat(89))
  const n = f32x4.nearest(f32x4.mul(bounded, f32x4.splat(1.4426950408889634)))
  const r = f32x4.sub(f32x4.sub(bounded, f32x4.mul(n, f32x4.splat(LN2_HIGH))), f32x4.mul(n, f32x4.splat(LN2_LOW)))
  // e^r = 1 + r + r^2 P(r)
  let p = f32x4.splat(0.001392692661)
  p = madd(p, r, f32x4.splat(0.008363773874))
  p = madd(p, r, f32x4.splat(0.04166655011))
  p = madd(p, r, f32x4.splat(0.1666657338))
  p = madd(p, r, f32x4.splat(0.5))
  p = madd(f32x4.mul(r, r), p, f32x4.add(r, f32x4.splat(1)))
  // 2^n in two factors, each of which is a normal number.
  const whole = i32x4.trunc_sat_f32x4_s(n)
  const half = i32x4.shr_s(whole, 1)
  const bias = i32x4.splat(127)
  const first = i32x4.shl(i32x4.add(half, bias), 23)
  const second = i32x4.shl(i32x4.add(i32x4.sub(whole, half), bias), 23)
  return f32x4.mul(f32x4.mul(p, first), second)
}

/** Natural logarithm of one positive, finite, normal number. */
export function log(x: f32): f32 {
  const bits = reinterpret<i32>(x)
  // x = m 2^e with m in [sqrt(1/2), sqrt(2))
  const e = (bits - 0x3f3504f3) >> 23
  const m = reinterpret<f32>(bits - (e << 23))
  const s: f32 = (m - 1) / (m + 1)
  const u: f32 = s * s
  const p: f32 = (((<f32>0.2333046722 * u + <f32>0.2855082082) * u + <f32>0.4000012184) * u + <f32>0.6666666655) * u
  const n = <f32>e
  return n * LN2_HIGH + (s + s + s * p + n * LN2_LOW)
}

/** 1 / (1 + e^-x) */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1)
  return f32x4.div(one, f32x4.add(one, exp(f32x4.neg(x))))
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function tanh(x: v128): v128 {
  const sign = v128.and(x, i32x4.splat(0x80000000))
  const size = f32x4.abs(x)
  // Near 0: x + x^3 P(x^2). Elsewhere 1 - 2 / (e^2x + 1).
  const u = f32x4.mul(x, x)
  let p = f32x4.splat(-0.00606214808)
  p = madd(p, u, f32x4.splat(0.02097323439))
  p = madd(p, u, f32x4.splat(-0.05384582267))
  p = madd(p, u, f32x4.splat(0.1333273602))
  p = madd(p, u, f32x4.splat(-0.3333332861))
  const near = madd(f32x4.mul(u, x), p, x)
  const one = f32x4.splat(1)
  const grown = exp(f32x4.add(size, size))
  const far = f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(grown, one)))
  return v128.bitselect(near, v128.or(far, sign), f32x4.lt(size, f32x4.splat(0.625)))
}

/** The error function. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function erf(x: v128): v128 {
  const sign = v128.and(x, i32x4.splat(0x80000000))
  const size = f32x4.abs(x)
  // Below 1: x P(x^2). Above: 1 - e^-Q(x), and 1 from 4 on.
  const u = f32x4.mul(x, x)
  let p = f32x4.splat(7.875875063e-5)
  p = madd(p, u, f32x4.splat(-0.0008016864287))
  p = madd(p, u, f32x4.splat(0.005189087423))
  p = madd(p, u, f32x4.splat(-0.02685421201))
  p = madd(p, u, f32x4.splat(0.1128359472))
  p = madd(p, u, f32x4.splat(-0.3761262667))
  p = madd(p, u, f32x4.splat(1.128379166))
  const near = f32x4.mul(p, x)
  const bounded = f32x4.min(size, f32x4.splat(4))
  let q = f32x4.splat(1.327236181e-5)
  q = madd(q, bounded, f32x4.splat(-0.0003169370225))
  q = madd(q, bounded, f32x4.splat(0.003432351381))
  q = madd(q, bounded, f32x4.splat(-0.02260477224))
  q = madd(q, bounded, f32x4.splat(0.1032811176))
  q = madd(q, bounded, f32x4.splat(0.6391412576))
  q = madd(q, bounded, f32x4.splat(1.125893652))
  q = madd(q, bounded, f32x4.splat(0.0007658977797))
  const far = f32x4.sub(f32x4.splat(1), exp(f32x4.neg(q)))
  return v128.bitselect(near, v128.or(far, sign), f32x4.lt(size, f32x4.splat(1)))
}
