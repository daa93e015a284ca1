/** Bias and activation, in place, on the rows of a product. */
import { exp, sigmoid, tanh } from './math'
import { loadPart, storePart } from './simd'

/** Codes of the activations that tfjs fuses. Also in `src/kernels/activation.ts`. */
// @ts-ignore: decorators are AssemblyScript
@inline
const RELU = 1
// @ts-ignore: decorators are AssemblyScript
@inline
const RELU6 = 2
// @ts-ignore: decorators are AssemblyScript
@inline
const PRELU = 3
// @ts-ignore: decorators are AssemblyScript
@inline
const LEAKY_RELU = 4
// @ts-ignore: decorators are AssemblyScript
@inline
const SIGMOID = 5
// @ts-ignore: decorators are AssemblyScript
@inline
const ELU = 6
// @ts-ignore: decorators are AssemblyScript
@inline
const TANH = 7

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function activate(kind: i32, x: v128, slope: v128): v128 {
  const zero = f32x4.splat(0)
  switch (kind) {
    case RELU:
      return f32x4.max(x, zero)
    case RELU6:
      return f32x4.min(f32x4.max(x, zero), f32x4.splat(6))
    case PRELU:
    case LEAKY_RELU:
      return v128.bitselect(f32x4.mul(x, slope), x, f32x4.lt(x, zero))
    case SIGMOID:
      return sigmoid(x)
    case ELU:
      return v128.bitselect(f32x4.sub(exp(x), f32x4.splat(1)), x, f32x4.lt(x, zero))
    case TANH:
      return tanh(x)
    default:
      return x
  }
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function rowsWith(kind: i32, c: usize, rows: i32, n: i32, bias: usize, slopes: usize, slope: f32): void {
  const slopeAll = f32x4.splat(slope)
  const zero = f32x4.splat(0)
  for (let row = 0; row < rows; row++) {
    let j = 0
    for (; j + 4 <= n; j += 4) {
      const o = <usize>j << 2
      const x = f32x4.add(v128.load(c + o), bias ? v128.load(bias + o) : zero)
      v128.store(c + o, activate(kind, x, kind == PRELU ? v128.load(slopes + o) : slopeAll))
    }
    if (j < n) {
      const o = <usize>j << 2
      const rest = n - j
      const x = f32x4.add(loadPart(c + o, rest), bias ? loadPart(bias + o, rest) : zero)
      storePart(c + o, activate(kind, x, kind == PRELU ? loadPart(slopes + o, rest) : slopeAll), rest)
    }
    c += <usize>n << 2
  }
}

/**
 * c [rows, n] = activation(c + bias). `bias` [n] may be 0: none. `slopes` [n] are those of PReLU, `slope` the leaky
 * ReLU's.
 */
export function biasActivation(
  kind: i32,
  c: usize,
  rows: i32,
  n: i32,
  bias: usize,
  slopes: usize,
  slope: f32,
): void {
  if (kind == RELU) rowsWith(RELU, c, rows, n, bias, slopes, slope)
  else if (kind == RELU6) rowsWith(RELU6, c, rows, n, bias, slopes, slope)
  else if (kind == PRELU) rowsWith(PRELU, c, rows, n, bias, slopes, slope)
  else if (kind == LEAKY_RELU) rowsWith(LEAKY_RELU, c, rows, n, bias, slopes, slope)
  else if (kind == SIGMOID) rowsWith(SIGMOID, c, rows, n, bias, slopes, slope)
  else if (kind == ELU) rowsWith(ELU, c, rows, n, bias, slopes, slope)
  else if (kind == TANH) rowsWith(TANH, c, rows, n, bias, slopes, slope)
  else rowsWith(0, c, rows, n, bias, slopes, slope)
}
