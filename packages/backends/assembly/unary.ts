/** Elementwise functions of one float. */
import { erf as erfOf, exp as expOf, tanh as tanhOf } from './math'
import { loadPart, storePart } from './simd'

const EXP = 0
const TANH = 1
const ERF = 2

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function apply(kind: i32, x: v128): v128 {
  if (kind == EXP) return expOf(x)
  if (kind == TANH) return tanhOf(x)
  return erfOf(x)
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function map(kind: i32, x: usize, y: usize, n: i32): void {
  let i = 0
  for (; i + 4 <= n; i += 4) v128.store(y + (<usize>i << 2), apply(kind, v128.load(x + (<usize>i << 2))))
  if (i < n) storePart(y + (<usize>i << 2), apply(kind, loadPart(x + (<usize>i << 2), n - i)), n - i)
}

export function exp(x: usize, y: usize, n: i32): void {
  map(EXP, x, y, n)
}

export function tanh(x: usize, y: usize, n: i32): void {
  map(TANH, x, y, n)
}

export function erf(x: usize, y: usize, n: i32): void {
  map(ERF, x, y, n)
}

/** NaN stays NaN: pmax and pmin keep their first operand unless the comparison holds. */
export function clip(x: usize, y: usize, n: i32, low: f32, high: f32): void {
  const lows = f32x4.splat(low)
  const highs = f32x4.splat(high)
  let i = 0
  for (; i + 8 <= n; i += 8) {
    const o = <usize>i << 2
    v128.store(y + o, f32x4.pmin(f32x4.pmax(v128.load(x + o), lows), highs))
    v128.store(y + o, f32x4.pmin(f32x4.pmax(v128.load(x + o, 16), lows), highs), 16)
  }
  if (i + 4 <= n) {
    const o = <usize>i << 2
    v128.store(y + o, f32x4.pmin(f32x4.pmax(v128.load(x + o), lows), highs))
    i += 4
  }
  if (i < n) {
    const o = <usize>i << 2
    storePart(y + o, f32x4.pmin(f32x4.pmax(loadPart(x + o, n - i), lows), highs), n - i)
  }
}

export function clipIntegers(x: usize, y: usize, n: i32, low: i32, high: i32): void {
  for (let i = 0; i < n; i++) {
    const o = <usize>i << 2
    store<i32>(y + o, min(max(load<i32>(x + o), low), high))
  }
}
