/** Rows by index, and their gradient. Elements are 32 bits. */
import { copyFloats } from './copy'

/**
 * y [batch, count, n] from rows `indices` of x [batch, rows, n]. Returns the first index outside the rows, or -1.
 */
export function gatherRows(
  x: usize,
  indices: usize,
  y: usize,
  batch: i32,
  rows: i32,
  count: i32,
  n: i32,
): i32 {
  const bytes = <usize>n << 2
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < count; i++) {
      const index = load<i32>(indices + (<usize>i << 2))
      if (<u32>index >= <u32>rows) return i
      copyFloats(y, x + index * bytes, n)
      y += bytes
    }
    x += rows * bytes
  }
  return -1
}

/** y [rows of ids, n] += x by id: ids outside [0, segments) are dropped. y is zeroed first. */
export function segmentSum(x: usize, ids: usize, y: usize, count: i32, segments: i32, n: i32): void {
  const bytes = <usize>n << 2
  memory.fill(y, 0, segments * bytes)
  for (let i = 0; i < count; i++) {
    const id = load<i32>(ids + (<usize>i << 2))
    if (<u32>id < <u32>segments) {
      const to = y + id * bytes
      let j = 0
      for (; j + 4 <= n; j += 4)
        v128.store(to + (<usize>j << 2), f32x4.add(v128.load(to + (<usize>j << 2)), v128.load(x + (<usize>j << 2))))
      for (; j < n; j++)
        store<f32>(to + (<usize>j << 2), load<f32>(to + (<usize>j << 2)) + load<f32>(x + (<usize>j << 2)))
    }
    x += bytes
  }
}
