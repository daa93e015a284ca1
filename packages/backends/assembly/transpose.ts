/** Exchanges two axes of 32-bit elements. */
import { copyFloats } from './copy'

/**
 * Tiles of 16 x 16: a cache line on both sides. A tile is transposed into `scratch` (1 kB) and written out by whole lines:
 * rows of 4 kB fall into one set of the first cache, where 16 half-written lines would push each other out.
 */
const TILE = 16

/** y [batch, columns, rows] from x [batch, rows, columns]. */
export function transpose(x: usize, y: usize, scratch: usize, batch: i32, rows: i32, columns: i32): void {
  const size = (<usize>rows * columns) << 2
  for (let i = 0; i < batch; i++) {
    transposeMatrix(x, y, scratch, rows, columns)
    x += size
    y += size
  }
}

function transposeMatrix(x: usize, y: usize, scratch: usize, rows: i32, columns: i32): void {
  const xRow = <usize>columns << 2
  const yRow = <usize>rows << 2
  for (let top = 0; top < rows; top += TILE)
    for (let left = 0; left < columns; left += TILE) {
      const from = x + <usize>top * xRow + (<usize>left << 2)
      const to = y + <usize>left * yRow + (<usize>top << 2)
      if (top + TILE <= rows && left + TILE <= columns) transposeTile(from, xRow, to, yRow, scratch)
      else {
        const bottom = min(rows - top, TILE)
        const right = min(columns - left, TILE)
        for (let i = 0; i < bottom; i++)
          for (let j = 0; j < right; j++)
            store<f32>(to + j * yRow + (<usize>i << 2), load<f32>(from + i * xRow + (<usize>j << 2)))
      }
    }
}

function transposeTile(from: usize, xRow: usize, to: usize, yRow: usize, scratch: usize): void {
  for (let i = 0; i < TILE; i += 4) {
    const row = from + i * xRow
    for (let j = 0; j < TILE; j += 4) {
      const o = <usize>j << 2
      const x0 = v128.load(row + o)
      const x1 = v128.load(row + xRow + o)
      const x2 = v128.load(row + 2 * xRow + o)
      const x3 = v128.load(row + 3 * xRow + o)
      const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5)
      const high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7)
      const low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5)
      const high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7)
      const out = scratch + (<usize>(j * TILE + i) << 2)
      v128.store(out, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5))
      v128.store(out, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7), 64)
      v128.store(out, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), 128)
      v128.store(out, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7), 192)
    }
  }
  for (let j = 0; j < TILE; j++) {
    v128.store(to, v128.load(scratch))
    v128.store(to, v128.load(scratch, 16), 16)
    v128.store(to, v128.load(scratch, 32), 32)
    v128.store(to, v128.load(scratch, 48), 48)
    scratch += 64
    to += yRow
  }
}

/** y [batch, columns, rows, n] from x [batch, rows, columns, n]. */
export function transposeRows(x: usize, y: usize, batch: i32, rows: i32, columns: i32, n: i32): void {
  const bytes = <usize>n << 2
  for (let b = 0; b < batch; b++) {
    for (let j = 0; j < columns; j++)
      for (let i = 0; i < rows; i++) {
        copyFloats(y, x + (<usize>i * columns + j) * bytes, n)
        y += bytes
      }
    x += <usize>rows * columns * bytes
  }
}
