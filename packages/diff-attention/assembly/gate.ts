/** The gate of SwiGLU: y = g sigmoid(g) v. */
import { madd } from '../../backends/assembly/simd'
import { exp2, LOG2_E } from './softmax'

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function sigmoid(g: v128): v128 {
  const one = f32x4.splat(1)
  const exponent = f32x4.pmin(f32x4.mul(g, f32x4.splat(-LOG2_E)), f32x4.splat(126)) // keeps NaN
  return f32x4.div(one, f32x4.add(one, exp2(exponent)))
}

/** `n` elements; the last vector reads and writes through 16 bytes of `scratch`. */
export function gate(g: usize, v: usize, y: usize, n: i32, scratch: usize): void {
  let i = 0
  for (; i + 4 <= n; i += 4) gateVector(g + (i << 2), v + (i << 2), y + (i << 2))
  if (i == n) return
  const rest = (n - i) << 2
  memory.copy(scratch, g + (i << 2), rest)
  memory.copy(scratch + 16, v + (i << 2), rest)
  gateVector(scratch, scratch + 16, scratch + 32)
  memory.copy(y + (i << 2), scratch + 32, rest)
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function gateVector(g: usize, v: usize, y: usize): void {
  const x = v128.load(g)
  v128.store(y, f32x4.mul(f32x4.mul(x, sigmoid(x)), v128.load(v)))
}

/** dg = dy v s (1 + g (1 - s)), dv = dy g s, with s = sigmoid(g). `scratch` has 80 bytes. */
export function gateGradient(g: usize, v: usize, dy: usize, dg: usize, dv: usize, n: i32, scratch: usize): void {
  let i = 0
  for (; i + 4 <= n; i += 4) {
    const at = i << 2
    gradientVector(g + at, v + at, dy + at, dg + at, dv + at)
  }
  if (i == n) return
  const at = i << 2
  const rest = (n - i) << 2
  memory.copy(scratch, g + at, rest)
  memory.copy(scratch + 16, v + at, rest)
  memory.copy(scratch + 32, dy + at, rest)
  gradientVector(scratch, scratch + 16, scratch + 32, scratch + 48, scratch + 64)
  memory.copy(dg + at, scratch + 48, rest)
  memory.copy(dv + at, scratch + 64, rest)
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function gradientVector(g: usize, v: usize, dy: usize, dg: usize, dv: usize): void {
  const x = v128.load(g)
  const upstream = v128.load(dy)
  const s = sigmoid(x)
  const one = f32x4.splat(1)
  const slope = f32x4.mul(s, madd(x, f32x4.sub(one, s), one))
  v128.store(dg, f32x4.mul(f32x4.mul(upstream, v128.load(v)), slope))
  v128.store(dv, f32x4.mul(upstream, f32x4.mul(x, s)))
}
