/** Moves matrices between tensors, with any row stride, and the padded panels of `tile.ts`. */
import { PANEL } from './tile'

/** Rounded up to a multiple of 4. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function whole(n: i32): i32 {
  return (n + 3) & ~3
}

/** `x` [rows, columns] as B: panels over the columns, `[panel][row][8]`, zeros beyond the last column. */
export function packColumns(x: usize, stride: usize, rows: i32, columns: i32, to: usize): void {
  for (let column = 0; column < columns; column += PANEL) {
    const present = min(columns - column, PANEL)
    let from = x + (column << 2)
    for (let row = 0; row < rows; row++) {
      if (present == PANEL) {
        v128.store(to, v128.load(from))
        v128.store(to, v128.load(from, 16), 16)
      } else {
        memory.fill(to, 0, PANEL << 2)
        for (let j = 0; j < present; j++) store<f32>(to + (j << 2), load<f32>(from + (j << 2)))
      }
      from += stride
      to += PANEL << 2
    }
  }
}

/** `x` [rows, columns] transposed as B: panels over the rows, `[panel][column][8]`, zeros beyond the last row. */
export function packRows(x: usize, stride: usize, rows: i32, columns: i32, to: usize): void {
  for (let row = 0; row < rows; row += PANEL) {
    const present = min(rows - row, PANEL)
    if (present < PANEL) memory.fill(to, 0, (columns * PANEL) << 2)
    for (let j = 0; j < present; j++) {
      let from = x + <usize>(row + j) * stride
      let at = to + (j << 2)
      for (let column = 0; column < columns; column++) {
        store<f32>(at, load<f32>(from))
        from += 4
        at += PANEL << 2
      }
    }
    to += (columns * PANEL) << 2
  }
}

/** Copies `x` [rows, columns], scaled, to rows of `toStride`; `paddedRows` rows are written, zeros beyond the last. */
export function copyRows(
  x: usize,
  stride: usize,
  rows: i32,
  columns: i32,
  scale: f32,
  to: usize,
  toStride: usize,
  paddedRows: i32,
): void {
  const vectors = columns & ~3
  const factor = f32x4.splat(scale)
  for (let row = 0; row < rows; row++) {
    let i = 0
    for (; i < vectors; i += 4) v128.store(to + (i << 2), f32x4.mul(v128.load(x + (i << 2)), factor))
    for (; i < columns; i++) store<f32>(to + (i << 2), load<f32>(x + (i << 2)) * scale)
    x += stride
    to += toStride
  }
  for (let row = rows; row < paddedRows; row++) {
    memory.fill(to, 0, columns << 2)
    to += toStride
  }
}

/** Copies `x` [rows, columns], padded rows of `stride`, scaled, to a tensor's rows. */
export function scaleRows(x: usize, stride: usize, rows: i32, columns: i32, scale: f32, to: usize, toStride: usize): void {
  copyRows(x, stride, rows, columns, scale, to, toStride, rows)
}
