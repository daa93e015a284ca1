/**
 * Right-hand sides are worked on in tiles of 8 columns: a tile is `rows` x 8, contiguous, so that it stays in the
 * first-level cache and its rows never share cache sets, whatever the width of the whole matrix.
 */

/** Columns of a tile, and the bytes of one of its rows. */
export const tileColumns = 8
export const tileRowBytes: usize = 32

/** Copies columns `column`.. of the [n, m] matrix at `from` into a tile of `rows` rows; zeros beyond its edges. */
export function packTile(from: usize, tile: usize, n: i32, m: i32, rows: i32, column: i32): void {
  const width = min(m - column, tileColumns)
  if (width < tileColumns || rows > n) memory.fill(tile, 0, <usize>rows * tileRowBytes)
  for (let row = 0; row < n; row++) {
    const source = from + ((<usize>row * m + column) << 2)
    const target = tile + <usize>row * tileRowBytes
    if (width === tileColumns) {
      v128.store(target, v128.load(source))
      v128.store(target, v128.load(source, 16), 16)
    } else for (let j = 0; j < width; j++) store<f32>(target + (j << 2), load<f32>(source + (j << 2)))
  }
}

/** Copies a tile back to columns `column`.. of the [n, m] matrix at `to`. */
export function unpackTile(tile: usize, to: usize, n: i32, m: i32, column: i32): void {
  const width = min(m - column, tileColumns)
  for (let row = 0; row < n; row++) {
    const source = tile + <usize>row * tileRowBytes
    const target = to + ((<usize>row * m + column) << 2)
    if (width === tileColumns) {
      v128.store(target, v128.load(source))
      v128.store(target, v128.load(source, 16), 16)
    } else for (let j = 0; j < width; j++) store<f32>(target + (j << 2), load<f32>(source + (j << 2)))
  }
}
