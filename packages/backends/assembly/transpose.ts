/** Exchanges two axes of 32-bit elements. */
import { copyFloats } from './copy'

/** Tiles of 16 x 16: a cache line on both sides. */
const TILE = 16

/** y [batch, columns, rows] from x [batch, rows, columns]. */
export function transpose(x: usize, y: usize, batch: i32, rows: i32, columns: i32): void {
  const size = (<usize>rows * columns) << 2
  for (let i = 0; i < batch; i++) {
    transposeMatrix(x, y, rows, columns)
    x += size
    y += size
  }
}

function transposeMatrix(x: usize, y: usize, rows: i32, columns: i32): void {
  const xRow = <usize>columns << 2
  const yRow = <usize>rows << 2
  for (let top = 0; top < rows; top += TILE) {
    const bottom = min(top + TILE, rows)
    for (let left = 0; left < columns; left += TILE) {
      const right = min(left + TILE, columns)
      let i = top
      for (; i + 4 <= bottom; i += 4) {
        let j = left
        for (; j + 4 <= right; j += 4) {
          const from = x + i * xRow + (<usize>j << 2)
          const to = y + j * yRow + (<usize>i << 2)
          const x0 = v128.load(from)
          const x1 = v128.load(from + xRow)
          const x2 = v128.load(from + 2 * xRow)
          const x3 = v128.load(from + 3 * xRow)
          const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5)
          const high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7)
          const low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5)
          const high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7)
          v128.store(to, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5))
          v128.store(to + yRow, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7))
          v128.store(to + 2 * yRow, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5))
          v128.store(to + 3 * yRow, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7))
        }
        for (; j < right; j++)
          for (let r = i; r < i + 4; r++)
            store<f32>(y + j * yRow + (<usize>r << 2), load<f32>(x + r * xRow + (<usize>j << 2)))
      }
      for (; i < bottom; i++)
        for (let j = left; j < right; j++)
          store<f32>(y + j * yRow + (<usize>i << 2), load<f32>(x + i * xRow + (<usize>j << 2)))
    }
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
