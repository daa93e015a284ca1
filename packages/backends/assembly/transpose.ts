/** Exchanges two axes of 32-bit elements. */
import { copyFloats } from './copy'

/**
 * Tiles of 64 x 64: four cache lines of each row on both sides. A tile is transposed into `scratch` (16 kB) and written out by
 * whole lines: rows of 4 kB fall into one set of the first cache, where half-written lines would push each other out. Without the
 * scratch, matrices of 1000 x 1000 take 20 % less, and those whose rows are a power of two apart twice as long.
 */
const TILE = 64

/** y [batch, columns, rows] from x [batch, rows, columns], the rows of each `xRow` and `yRow` elements apart. */
export function transpose(
  x: usize,
  y: usize,
  scratch: usize,
  batch: i32,
  rows: i32,
  columns: i32,
  xBatch: i32,
  yBatch: i32,
  xRow: i32,
  yRow: i32,
): void {
  for (let i = 0; i < batch; i++) {
    transposeMatrix(x, y, scratch, rows, columns, <usize>xRow << 2, <usize>yRow << 2)
    x += <usize>xBatch << 2
    y += <usize>yBatch << 2
  }
}

function transposeMatrix(
  x: usize,
  y: usize,
  scratch: usize,
  rows: i32,
  columns: i32,
  xRow: usize,
  yRow: usize,
): void {
  for (let top = 0; top < rows; top += TILE)
    for (let left = 0; left < columns; left += TILE) {
      const from = x + <usize>top * xRow + (<usize>left << 2)
      const to = y + <usize>left * yRow + (<usize>top << 2)
      transposeTile(from, xRow, to, yRow, scratch, min(rows - top, TILE), min(columns - left, TILE))
    }
}

function transposeTile(
  from: usize,
  xRow: usize,
  to: usize,
  yRow: usize,
  scratch: usize,
  rows: i32,
  columns: i32,
): void {
  let i = 0
  for (; i + 4 <= rows; i += 4) {
    const row = from + i * xRow
    let j = 0
    for (; j + 4 <= columns; j += 4)
      transposeBlock(row + (<usize>j << 2), xRow, scratch + (<usize>(j * TILE + i) << 2))
    for (; j < columns; j++)
      for (let r = 0; r < 4; r++)
        store<f32>(scratch + (<usize>(j * TILE + i + r) << 2), load<f32>(row + r * xRow + (<usize>j << 2)))
  }
  for (; i < rows; i++)
    for (let j = 0; j < columns; j++)
      store<f32>(scratch + (<usize>(j * TILE + i) << 2), load<f32>(from + i * xRow + (<usize>j << 2)))
  for (let j = 0; j < columns; j++) {
    copyFloats(to, scratch, rows)
    scratch += TILE << 2
    to += yRow
  }
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function transposeBlock(from: usize, xRow: usize, out: usize): void {
  const x0 = v128.load(from)
  const x1 = v128.load(from + xRow)
  const x2 = v128.load(from + 2 * xRow)
  const x3 = v128.load(from + 3 * xRow)
  const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5)
  const high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7)
  const low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5)
  const high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7)
  v128.store(out, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5))
  v128.store(out, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7), TILE << 2)
  v128.store(out, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), 2 * (TILE << 2))
  v128.store(out, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7), 3 * (TILE << 2))
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
