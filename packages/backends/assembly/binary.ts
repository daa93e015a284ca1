/**
 * Elementwise functions of two floats, with broadcasting.
 *
 * Shapes arrive merged to three axes [outer, middle, inner]. Each operand has a stride per axis, 0 where it is broadcast;
 * the inner stride is 1 or 0. So the innermost loop is always over whole vectors.
 */
import { loadPart, storePart } from './simd'

/** From EQUAL on, the result is boolean. */
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

/** Sixteen comparison masks as bytes. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function storeSixteenBytes(y: usize, m0: v128, m1: v128, m2: v128, m3: v128): void {
  const words = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(m0, m1), i16x8.narrow_i32x4_s(m2, m3))
  v128.store(y, v128.and(words, i8x16.splat(1)))
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function row(kind: i32, a: usize, aInner: i32, b: usize, bInner: i32, y: usize, n: i32): void {
  const compares = kind >= EQUAL
  let i = 0
  if (aInner && bInner) {
    if (compares)
      for (; i + 16 <= n; i += 16) {
        const o = <usize>i << 2
        storeSixteenBytes(
          y + i,
          apply(kind, v128.load(a + o), v128.load(b + o)),
          apply(kind, v128.load(a + o, 16), v128.load(b + o, 16)),
          apply(kind, v128.load(a + o, 32), v128.load(b + o, 32)),
          apply(kind, v128.load(a + o, 48), v128.load(b + o, 48)),
        )
      }
    for (; i + 4 <= n; i += 4) {
      const o = <usize>i << 2
      const v = apply(kind, v128.load(a + o), v128.load(b + o))
      if (compares) storeBytes(y + i, v, 4)
      else v128.store(y + o, v)
    }
  } else if (aInner) {
    const all = v128.load32_splat(b)
    if (compares)
      for (; i + 16 <= n; i += 16) {
        const o = <usize>i << 2
        storeSixteenBytes(
          y + i,
          apply(kind, v128.load(a + o), all),
          apply(kind, v128.load(a + o, 16), all),
          apply(kind, v128.load(a + o, 32), all),
          apply(kind, v128.load(a + o, 48), all),
        )
      }
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

// One exported function each: in a single function with a switch, V8 makes the loops 2 to 5 times slower.

export function add(
  a: usize, b: usize, y: usize, outer: i32, middle: i32, inner: i32,
  aOuter: i32, aMiddle: i32, aInner: i32, bOuter: i32, bMiddle: i32, bInner: i32,
): void {
  all(ADD, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
}

export function sub(
  a: usize, b: usize, y: usize, outer: i32, middle: i32, inner: i32,
  aOuter: i32, aMiddle: i32, aInner: i32, bOuter: i32, bMiddle: i32, bInner: i32,
): void {
  all(SUB, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
}

export function multiply(
  a: usize, b: usize, y: usize, outer: i32, middle: i32, inner: i32,
  aOuter: i32, aMiddle: i32, aInner: i32, bOuter: i32, bMiddle: i32, bInner: i32,
): void {
  all(MUL, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
}

export function realDiv(
  a: usize, b: usize, y: usize, outer: i32, middle: i32, inner: i32,
  aOuter: i32, aMiddle: i32, aInner: i32, bOuter: i32, bMiddle: i32, bInner: i32,
): void {
  all(DIV, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
}

export function maximum(
  a: usize, b: usize, y: usize, outer: i32, middle: i32, inner: i32,
  aOuter: i32, aMiddle: i32, aInner: i32, bOuter: i32, bMiddle: i32, bInner: i32,
): void {
  all(MAXIMUM, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
}

export function minimum(
  a: usize, b: usize, y: usize, outer: i32, middle: i32, inner: i32,
  aOuter: i32, aMiddle: i32, aInner: i32, bOuter: i32, bMiddle: i32, bInner: i32,
): void {
  all(MINIMUM, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
}

export function squaredDifference(
  a: usize, b: usize, y: usize, outer: i32, middle: i32, inner: i32,
  aOuter: i32, aMiddle: i32, aInner: i32, bOuter: i32, bMiddle: i32, bInner: i32,
): void {
  all(SQUARED_DIFFERENCE, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
}

export function equal(
  a: usize, b: usize, y: usize, outer: i32, middle: i32, inner: i32,
  aOuter: i32, aMiddle: i32, aInner: i32, bOuter: i32, bMiddle: i32, bInner: i32,
): void {
  all(EQUAL, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
}

export function notEqual(
  a: usize, b: usize, y: usize, outer: i32, middle: i32, inner: i32,
  aOuter: i32, aMiddle: i32, aInner: i32, bOuter: i32, bMiddle: i32, bInner: i32,
): void {
  all(NOT_EQUAL, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
}

export function greater(
  a: usize, b: usize, y: usize, outer: i32, middle: i32, inner: i32,
  aOuter: i32, aMiddle: i32, aInner: i32, bOuter: i32, bMiddle: i32, bInner: i32,
): void {
  all(GREATER, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
}

export function greaterEqual(
  a: usize, b: usize, y: usize, outer: i32, middle: i32, inner: i32,
  aOuter: i32, aMiddle: i32, aInner: i32, bOuter: i32, bMiddle: i32, bInner: i32,
): void {
  all(GREATER_EQUAL, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
}

export function less(
  a: usize, b: usize, y: usize, outer: i32, middle: i32, inner: i32,
  aOuter: i32, aMiddle: i32, aInner: i32, bOuter: i32, bMiddle: i32, bInner: i32,
): void {
  all(LESS, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
}

export function lessEqual(
  a: usize, b: usize, y: usize, outer: i32, middle: i32, inner: i32,
  aOuter: i32, aMiddle: i32, aInner: i32, bOuter: i32, bMiddle: i32, bInner: i32,
): void {
  all(LESS_EQUAL, a, b, y, outer, middle, inner, aOuter, aMiddle, aInner, bOuter, bMiddle, bInner)
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
