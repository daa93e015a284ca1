/** Normalisation by given statistics of each column (channel), and its gradient. */
import { madd } from './simd'

/** y = (x - mean) factor + offset, by column. `factor` [n] is scale / sqrt(variance + epsilon). */
export function normalizeColumns(
  x: usize,
  mean: usize,
  factor: usize,
  offset: usize,
  y: usize,
  rows: i32,
  n: i32,
): void {
  for (let row = 0; row < rows; row++) {
    let j = 0
    for (; j + 4 <= n; j += 4) {
      const o = <usize>j << 2
      const centred = f32x4.sub(v128.load(x + o), v128.load(mean + o))
      v128.store(y + o, madd(centred, v128.load(factor + o), v128.load(offset + o)))
    }
    for (; j < n; j++) {
      const o = <usize>j << 2
      const centred: f32 = load<f32>(x + o) - load<f32>(mean + o)
      store<f32>(y + o, centred * load<f32>(factor + o) + load<f32>(offset + o))
    }
    x += <usize>n << 2
    y += <usize>n << 2
  }
}

/** Rows whose sums are kept apart, so that long sums stay exact. */
const ROWS = 128

/**
 * dx = dy factor; sums [n] of dy and products [n] of dy (x - mean), by column. `partial` holds 2 n floats.
 */
export function normalizeColumnsGradient(
  x: usize,
  dy: usize,
  mean: usize,
  factor: usize,
  dx: usize,
  sums: usize,
  products: usize,
  partial: usize,
  rows: i32,
  n: i32,
): void {
  const bytes = <usize>n << 2
  const partialProducts = partial + bytes
  memory.fill(sums, 0, bytes)
  memory.fill(products, 0, bytes)
  for (let start = 0; start < rows; start += ROWS) {
    memory.fill(partial, 0, 2 * bytes)
    const end = min(rows, start + ROWS)
    for (let row = start; row < end; row++) {
      let j = 0
      for (; j + 4 <= n; j += 4) {
        const o = <usize>j << 2
        const g = v128.load(dy + o)
        v128.store(dx + o, f32x4.mul(g, v128.load(factor + o)))
        v128.store(partial + o, f32x4.add(v128.load(partial + o), g))
        const centred = f32x4.sub(v128.load(x + o), v128.load(mean + o))
        v128.store(partialProducts + o, madd(g, centred, v128.load(partialProducts + o)))
      }
      for (; j < n; j++) {
        const o = <usize>j << 2
        const g = load<f32>(dy + o)
        store<f32>(dx + o, g * load<f32>(factor + o))
        store<f32>(partial + o, load<f32>(partial + o) + g)
        const centred: f32 = load<f32>(x + o) - load<f32>(mean + o)
        store<f32>(partialProducts + o, load<f32>(partialProducts + o) + g * centred)
      }
      x += bytes
      dy += bytes
      dx += bytes
    }
    for (let j = 0; j < n; j++) {
      const o = <usize>j << 2
      store<f32>(sums + o, load<f32>(sums + o) + load<f32>(partial + o))
      store<f32>(products + o, load<f32>(products + o) + load<f32>(partialProducts + o))
    }
  }
}
