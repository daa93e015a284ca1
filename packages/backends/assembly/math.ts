/**
 * Elementary functions on four floats. Polynomials are Chebyshev fits and quotients least-squares fits weighted towards
 * equal errors, made with mpmath to more digits than float32 holds. `unary.test.ts` holds each to a few units in the last
 * place. NaN in, NaN out.
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

/** The natural logarithm of positive normal numbers; NaN of what is not finite. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function log(x: v128): v128 {
  // x = 2^n m, with m from sqrt(1/2) to sqrt(2).
  const offset = i32x4.sub(x, i32x4.splat(0x3f3504f3))
  const n = i32x4.shr_s(offset, 23)
  const m = i32x4.sub(x, i32x4.shl(n, 23))
  const f = f32x4.sub(m, f32x4.splat(1))
  const exponent = f32x4.convert_i32x4_s(n)
  // log(1 + f) = f - f^2 / 2 + f^3 P(f)
  let p = f32x4.splat(0.07149753890552826)
  p = madd(p, f, f32x4.splat(-0.11571200726974622))
  p = madd(p, f, f32x4.splat(0.11661511067806088))
  p = madd(p, f, f32x4.splat(-0.12411050684026012))
  p = madd(p, f, f32x4.splat(0.14249936532971957))
  p = madd(p, f, f32x4.splat(-0.16668480239502304))
  p = madd(p, f, f32x4.splat(0.20000707478390867))
  p = madd(p, f, f32x4.splat(-0.2499998904873492))
  p = madd(p, f, f32x4.splat(0.33333331190848103))
  const square = f32x4.mul(f, f)
  let tail = f32x4.mul(f32x4.mul(square, f), p)
  tail = madd(exponent, f32x4.splat(LN2_LOW), tail)
  tail = f32x4.sub(tail, f32x4.mul(square, f32x4.splat(0.5)))
  const y = madd(exponent, f32x4.splat(LN2_HIGH), f32x4.add(f, tail))
  return f32x4.add(y, f32x4.sub(x, x))
}

/** 1 / (1 + e^-x) */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1)
  return f32x4.div(one, f32x4.add(one, exp(f32x4.neg(x))))
}

/** x P(x^2) / Q(x^2) up to 9, where it is 1 in float32. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function tanh(x: v128): v128 {
  const bounded = f32x4.min(f32x4.max(x, f32x4.splat(-9)), f32x4.splat(9))
  const u = f32x4.mul(bounded, bounded)
  let p = f32x4.splat(-1.225439027e-11)
  p = madd(p, u, f32x4.splat(3.065516979e-8))
  p = madd(p, u, f32x4.splat(2.803711999e-5))
  p = madd(p, u, f32x4.splat(0.003869811891))
  p = madd(p, u, f32x4.splat(0.136811031))
  p = madd(p, u, f32x4.splat(0.9999999988))
  let q = f32x4.splat(1.289423395e-6)
  q = madd(q, u, f32x4.splat(0.0003941237794))
  q = madd(q, u, f32x4.splat(0.02725128227))
  q = madd(q, u, f32x4.splat(0.4701443524))
  q = madd(q, u, f32x4.splat(1))
  return withinOne(f32x4.div(f32x4.mul(bounded, p), q))
}

/** The error function: x P(x^2) / Q(x^2) up to 3.95, where it is 1 in float32. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function erf(x: v128): v128 {
  const bounded = f32x4.min(f32x4.max(x, f32x4.splat(-3.95)), f32x4.splat(3.95))
  const u = f32x4.mul(bounded, bounded)
  let p = f32x4.splat(2.026099322e-6)
  p = madd(p, u, f32x4.splat(0.0002844960475))
  p = madd(p, u, f32x4.splat(0.003802264693))
  p = madd(p, u, f32x4.splat(0.05285690263))
  p = madd(p, u, f32x4.splat(0.1914210341))
  p = madd(p, u, f32x4.splat(1.128379145))
  let q = f32x4.splat(3.782382013e-5)
  q = madd(q, u, f32x4.splat(0.001169189153))
  q = madd(q, u, f32x4.splat(0.015043272))
  q = madd(q, u, f32x4.splat(0.1145048875))
  q = madd(q, u, f32x4.splat(0.5029751789))
  q = madd(q, u, f32x4.splat(1))
  return withinOne(f32x4.div(f32x4.mul(bounded, p), q))
}

/** Rounding must not push a function beyond its limits. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function withinOne(x: v128): v128 {
  return f32x4.min(f32x4.max(x, f32x4.splat(-1)), f32x4.splat(1))
}
