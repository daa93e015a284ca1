/**
 * Elementwise functions of two floats, with broadcasting.
 *
 * Shapes arrive merged to three axes [outer, middle, inner]. Each operand has a stride per axis, 0 where it is broadcast;
 * the inner stride is 1 or 0. So the innermost loop is always over whole vectors.
 */
import { loadPart, storePart } from './simd'

/** Codes of the functions. Also in `src/kernels/binary.ts`. */
const ADD = 0
const SUB = 1
const MUL = 2
const DIV = 3
const MAXIMUM = 4
const MINIMUM = 5
const SQUARED_DIFFERENCE = 6
const EQUAL = 7
const NOT_EQUAL = 8
const GREATER = 9
const GREATER_EQUAL = 10
const LESS = 11
const LESS_EQUAL = 12

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function apply(kind: i32, a: v128, b: v128): v128 {
  if (kind == ADD) return f32x4.add(a, b)
  if (kind == SUB) return f32x4.sub(a, b)
  if (kind == MUL) return f32x4.mul(a, b)
  if (kind == DIV) return f32x4.div(a, b)
  if (kind == MAXIMUM) return f32x4.max(a, b)
  if (kind == MINIMUM) return f32x4.min(a, b)
  if (kind == EQUAL) return f32x4.eq(a, b)
  if (kind == NOT_EQUAL) return f32x4.ne(a, b)
  if (kind == GREATER) return f32x4.gt(a, b)
  if (kind == GREATER_EQUAL) return f32x4.ge(a, b)
  if (kind == LESS) return f32x4.lt(a, b)
  if (kind == LESS_EQUAL) return f32x4.le(a, b)
  const d = f32x4.sub(a, b)
  return f32x4.mul(d, d)
}

/** Four comparison masks as four bytes 0 or 1. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function storeBytes(y: usize, mask: v128, count: i32): void {
  const words = i16x8.narrow_i32x4_s(mask, mask)
  const bytes = v128.and(i8x16.narrow_i16x8_s(words, words), i8x16.splat(1))
  if (count == 4) v128.store32_lane(y, bytes, 0)
  else {
    store<u8>(y, i8x16.extract_lane_u(bytes, 0))
    if (count > 1) store<u8>(y, i8x16.extract_lane_u(bytes, 1), 1)
    if (count > 2) store<u8>(y, i8x16.extract_lane_u(bytes, 2), 2)
  }
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function row(kind: i32, a: usize, aInner: i32, b: usize, bInner: i32, y: usize, n: i32): void {
  const compares = kind >= EQUAL
  let i = 0
  if (aInner && bInner) {
    for (; i + 4 <= n; i += 4) {
      const o = <usize>i << 2
      const v = apply(kind, v128.load(a + o), v128.load(b + o))
      if (compares) storeBytes(y + i, v, 4)
      else v128.store(y + o, v)
    }
  } else if (aInner) {
    const all = v128.load32_splat(b)
    for (; i + 4 <= n; i += 4) {
      const o = <usize>i << 2
      const v = apply(kind, v128.load(a + o), all)
      if (compares) storeBytes(y + i, v, 4)
      else v128.store(y + o, v)
    }
  } else {
    const all = v128.load32_splat(a)
    for (; i + 4 <= n; i += 4) {
      const o = <usize>i << 2
      const v = apply(kind, all, bInner ? v128.load(b + o) : v128.load32_splat(b))
      if (compares) storeBytes(y + i, v, 4)
      else v128.store(y + o, v)
    }
  }
  if (i < n) {
    const o = <usize>i << 2
    const rest = n - i
    const x = aInner ? loadPart(a + o, rest) : v128.load32_splat(a)
    const z = bInner ? loadPart(b + o, rest) : v128.load32_splat(b)
    const v = apply(kind, x, z)
    if (compares) storeBytes(y + i, v, rest)
    else storePart(y + o, v, rest)
  }
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function all(
  kind: i32,
  a: usize,
  b: usize,
  y: usize,
  outer: i32,
  middle: i32,
  inner: i32,
  aOuter: i32,
  aMiddle: i32,
  aInner: i32,
  bOuter: i32,
  bMiddle: i32,
  bInner: i32,
): void {
  const step: usize = kind >= EQUAL ? inner : <usize>inner << 2
  for (let i = 0; i < outer; i++)
    for (let j = 0; j < middle; j++) {
      const ap = a + ((<usize>i * aOuter + <usize>j * aMiddle) << 2)
      const bp = b + ((<usize>i * bOuter + <usize>j * bMiddle) << 2)
      row(kind, ap, aInner, bp, bInner, y, inner)
      y += step
    }
}

export function binary(
  kind: i32,
  a: usize,
  b: usize,
  y: usize,
  outer: i32,
  middle: i32,
  inner: i32,
  aOuter: i32,
  aMiddle: i32,
  aInner: i32,
  bOuter: i32,
  bMiddle: i32,
  bInner: i32,
): void {
  switch (kind) {
    case ADD:
      return all(ADD, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
    case SUB:
      return all(SUB, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
    case MUL:
      return all(MUL, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
    case DIV:
      return all(DIV, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
    case MAXIMUM:
      return all(MAXIMUM, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
    case MINIMUM:
      return all(MINIMUM, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
    case SQUARED_DIFFERENCE:
      return all(SQUARED_DIFFERENCE, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
    case EQUAL:
      return all(EQUAL, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
    case NOT_EQUAL:
      return all(NOT_EQUAL, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
    case GREATER:
      return all(GREATER, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
    case GREATER_EQUAL:
      return all(GREATER_EQUAL, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
    case LESS:
      return all(LESS, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
    case LESS_EQUAL:
      return all(LESS_EQUAL, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
  }
}

/** y = condition ? a : b, for bytes 0 or 1 and 32-bit elements. */
export function select(condition: usize, a: usize, b: usize, y: usize, n: i32): void {
  let i = 0
  for (; i + 4 <= n; i += 4) {
    const o = <usize>i << 2
    const words = i16x8.extend_low_i8x16_u(v128.load32_zero(condition + i))
    const mask = i32x4.ne(i32x4.extend_low_i16x8_u(words), i32x4.splat(0))
    v128.store(y + o, v128.bitselect(v128.load(a + o), v128.load(b + o), mask))
  }
  for (; i < n; i++) {
    const o = <usize>i << 2
    store<i32>(y + o, load<u8>(condition + i) ? load<i32>(a + o) : load<i32>(b + o))
  }
}

/** y = a and b, of bytes 0 or 1. */
export function logicalAnd(a: usize, b: usize, y: usize, n: i32): void {
  let i = 0
  for (; i + 16 <= n; i += 16) v128.store(y + i, v128.and(v128.load(a + i), v128.load(b + i)))
  for (; i < n; i++) store<u8>(y + i, load<u8>(a + i) & load<u8>(b + i))
}
