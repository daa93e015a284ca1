/**
 * Sums. Long sums are added in blocks of 64 terms per lane, whose totals are kept in double precision: the error
 * of a sum of a million floats is that of its blocks, not of a serial sum.
 */
import { addFloats } from './copy'
import { sumLanes } from './simd'

const BLOCK = 1024
const ROWS = 64
const WIDE = 256

function sumBlock(x: usize, count: i32): f32 {
  let s0 = f32x4.splat(0)
  let s1 = s0
  let s2 = s0
  let s3 = s0
  let i = 0
  for (; i + 16 <= count; i += 16) {
    const p = x + (<usize>i << 2)
    s0 = f32x4.add(s0, v128.load(p))
    s1 = f32x4.add(s1, v128.load(p, 16))
    s2 = f32x4.add(s2, v128.load(p, 32))
    s3 = f32x4.add(s3, v128.load(p, 48))
  }
  let sum = sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)))
  for (; i < count; i++) sum += load<f32>(x + (<usize>i << 2))
  return sum
}

/** y [rows] = scale times the sums of the rows of x [rows, n]. */
export function sumRows(x: usize, y: usize, rows: i32, n: i32, scale: f32): void {
  for (let row = 0; row < rows; row++) {
    let total: f32
    if (n <= BLOCK) total = sumBlock(x, n)
    else {
      let exact: f64 = 0
      for (let i = 0; i < n; i += BLOCK) exact += <f64>sumBlock(x + (<usize>i << 2), min(n - i, BLOCK))
      total = <f32>exact
    }
    store<f32>(y, total * scale)
    x += <usize>n << 2
    y += 4
  }
}

/**
 * y [outer, n] = scale times the sums over the middle axis of x [outer, rows, n]. `partial` holds n floats.
 *
 * Narrow columns are summed in registers. Wide ones row by row: rows of 4 kB fall into one set of the first cache, so going
 * down a column would miss it each time.
 */
export function sumColumns(
  x: usize,
  y: usize,
  partial: usize,
  outer: i32,
  rows: i32,
  n: i32,
  scale: f32,
): void {
  const rowBytes = <usize>n << 2
  const scales = f32x4.splat(scale)
  for (let o = 0; o < outer; o++) {
    if (n >= WIDE) {
      sumWide(x, y, partial, rows, n, scales)
      x += rows * rowBytes
      y += rowBytes
      continue
    }
    let j = 0
    for (; j + 16 <= n; j += 16) sumStrip(x + (<usize>j << 2), y + (<usize>j << 2), rows, rowBytes, scales)
    for (; j + 4 <= n; j += 4) {
      const p = x + (<usize>j << 2)
      let total = f32x4.splat(0)
      for (let start = 0; start < rows; start += ROWS) {
        // Two sums, or each addition would wait for the one before.
        let s0 = f32x4.splat(0)
        let s1 = s0
        const end = min(rows, start + ROWS)
        let row = start
        for (; row + 2 <= end; row += 2) {
          s0 = f32x4.add(s0, v128.load(p + row * rowBytes))
          s1 = f32x4.add(s1, v128.load(p + (row + 1) * rowBytes))
        }
        if (row < end) s0 = f32x4.add(s0, v128.load(p + row * rowBytes))
        total = f32x4.add(total, f32x4.add(s0, s1))
      }
      v128.store(y + (<usize>j << 2), f32x4.mul(total, scales))
    }
    for (; j < n; j++) {
      const p = x + (<usize>j << 2)
      let total: f64 = 0
      for (let row = 0; row < rows; row++) total += <f64>load<f32>(p + row * rowBytes)
      store<f32>(y + (<usize>j << 2), <f32>total * scale)
    }
    x += rows * rowBytes
    y += rowBytes
  }
}

/** 16 columns: a cache line of each row. */
function sumStrip(x: usize, y: usize, rows: i32, rowBytes: usize, scales: v128): void {
  let t0 = f32x4.splat(0)
  let t1 = t0
  let t2 = t0
  let t3 = t0
  for (let start = 0; start < rows; start += ROWS) {
    let s0 = f32x4.splat(0)
    let s1 = s0
    let s2 = s0
    let s3 = s0
    const end = min(rows, start + ROWS)
    for (let row = start; row < end; row++) {
      s0 = f32x4.add(s0, v128.load(x))
      s1 = f32x4.add(s1, v128.load(x, 16))
      s2 = f32x4.add(s2, v128.load(x, 32))
      s3 = f32x4.add(s3, v128.load(x, 48))
      x += rowBytes
    }
    t0 = f32x4.add(t0, s0)
    t1 = f32x4.add(t1, s1)
    t2 = f32x4.add(t2, s2)
    t3 = f32x4.add(t3, s3)
  }
  v128.store(y, f32x4.mul(t0, scales))
  v128.store(y, f32x4.mul(t1, scales), 16)
  v128.store(y, f32x4.mul(t2, scales), 32)
  v128.store(y, f32x4.mul(t3, scales), 48)
}

/** Four rows at a time into `partial`, and that into y every 64 rows. */
function sumWide(x: usize, y: usize, partial: usize, rows: i32, n: i32, scales: v128): void {
  const bytes = <usize>n << 2
  memory.fill(y, 0, bytes)
  for (let start = 0; start < rows; start += ROWS) {
    memory.fill(partial, 0, bytes)
    const end = min(rows, start + ROWS)
    let row = start
    for (; row + 4 <= end; row += 4) {
      addFourRows(x, partial, n)
      x += 4 * bytes
    }
    for (; row < end; row++) {
      addFloats(partial, x, n)
      x += bytes
    }
    addFloats(y, partial, n)
  }
  let j = 0
  for (; j + 4 <= n; j += 4) v128.store(y + (<usize>j << 2), f32x4.mul(v128.load(y + (<usize>j << 2)), scales))
  for (; j < n; j++)
    store<f32>(y + (<usize>j << 2), load<f32>(y + (<usize>j << 2)) * f32x4.extract_lane(scales, 0))
}

/** Adds four rows of x [4, n]. */
export function addFourRows(x: usize, to: usize, n: i32): void {
  const x1 = x + (<usize>n << 2)
  const x2 = x1 + (<usize>n << 2)
  const x3 = x2 + (<usize>n << 2)
  let j = 0
  for (; j + 4 <= n; j += 4) {
    const o = <usize>j << 2
    const low = f32x4.add(v128.load(x + o), v128.load(x1 + o))
    const high = f32x4.add(v128.load(x2 + o), v128.load(x3 + o))
    v128.store(to + o, f32x4.add(v128.load(to + o), f32x4.add(low, high)))
  }
  for (; j < n; j++) {
    const o = <usize>j << 2
    const low: f32 = load<f32>(x + o) + load<f32>(x1 + o)
    const high: f32 = load<f32>(x2 + o) + load<f32>(x3 + o)
    store<f32>(to + o, load<f32>(to + o) + (low + high))
  }
}
