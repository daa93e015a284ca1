/** The activations of recurrent layers, and their slopes as functions of their values: what a gradient has at hand. */
import { sigmoid, tanh } from './math'

/** Also in `src/ops/recurrent-activations.ts`. */
// @ts-ignore: decorators are AssemblyScript
@inline
const TANH = 1
// @ts-ignore: decorators are AssemblyScript
@inline
const RELU = 2
// @ts-ignore: decorators are AssemblyScript
@inline
const SIGMOID = 3
// @ts-ignore: decorators are AssemblyScript
@inline
const HARD_SIGMOID = 4

/** NaN stays NaN. Other codes: x itself. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function activate(code: i32, x: v128): v128 {
  if (code == TANH) return tanh(x)
  if (code == RELU) return f32x4.max(x, f32x4.splat(0))
  if (code == SIGMOID) return sigmoid(x)
  if (code == HARD_SIGMOID) {
    const line = f32x4.add(f32x4.mul(x, f32x4.splat(0.2)), f32x4.splat(0.5))
    return f32x4.min(f32x4.max(line, f32x4.splat(0)), f32x4.splat(1))
  }
  return x
}

/** The slope of {@link activate} where its value is `y`. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function slope(code: i32, y: v128): v128 {
  const zero = f32x4.splat(0)
  const one = f32x4.splat(1)
  if (code == TANH) return f32x4.sub(one, f32x4.mul(y, y))
  if (code == RELU) return v128.and(one, f32x4.gt(y, zero))
  if (code == SIGMOID) return f32x4.mul(y, f32x4.sub(one, y))
  if (code == HARD_SIGMOID)
    return v128.and(f32x4.splat(0.2), v128.and(f32x4.gt(y, zero), f32x4.lt(y, one)))
  return one
}
