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
