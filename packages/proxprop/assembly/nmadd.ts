/** `c - a * b`: one rounding with relaxed SIMD, two without. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function nmadd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c)
  return f32x4.sub(c, f32x4.mul(a, b))
}
