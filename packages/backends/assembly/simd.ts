/** Building blocks of the kernels. */

/** `a * b + c`: one rounding with relaxed SIMD, two without. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c)
  return f32x4.add(f32x4.mul(a, b), c)
}

/** `c - a * b`: one rounding with relaxed SIMD, two without. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function nmadd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c)
  return f32x4.sub(c, f32x4.mul(a, b))
}

/** Sum of the four lanes. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function sumLanes(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 2) + (f32x4.extract_lane(x, 1) + f32x4.extract_lane(x, 3))
  )
}

/** The first `count` (1 to 3) floats at `p`, and zeros. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function loadPart(p: usize, count: i32): v128 {
  let v = v128.load32_zero(p)
  if (count > 1) v = v128.load32_lane(p, v, 1, 4)
  if (count > 2) v = v128.load32_lane(p, v, 2, 8)
  return v
}

/** Stores the first `count` (1 to 3) floats of `v`. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function storePart(p: usize, v: v128, count: i32): void {
  v128.store32_lane(p, v, 0)
  if (count > 1) v128.store32_lane(p, v, 1, 4)
  if (count > 2) v128.store32_lane(p, v, 2, 8)
}

/** The first `count` (1 to 4) floats at `p`, and zeros. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function loadUpTo4(p: usize, count: i32): v128 {
  return count == 4 ? v128.load(p) : loadPart(p, count)
}

/** Stores the first `count` (1 to 4) floats of `v`. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function storeUpTo4(p: usize, v: v128, count: i32): void {
  if (count == 4) v128.store(p, v)
  else storePart(p, v, count)
}
