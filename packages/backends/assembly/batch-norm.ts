/** Normalisation by given statistics of each column (channel), and its gradient. */
import { addFloats } from './copy'
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
  addGradientSums(x, dy, mean, factor, dx, sums, products, partial, rows, n, true)
}

/** sums [n] of dy and products [n] of dy (x - mean), by column. `partial` holds 2 n floats. */
export function columnGradientSums(
  x: usize,
  dy: usize,
  mean: usize,
  sums: usize,
  products: usize,
  partial: usize,
  rows: i32,
  n: i32,
): void {
  addGradientSums(x, dy, mean, 0, 0, sums, products, partial, rows, n, false)
}

/** Both of the above: in one pass, with a `writes` that the compiler knows. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function addGradientSums(
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
  writes: bool,
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
        if (writes) v128.store(dx + o, f32x4.mul(g, v128.load(factor + o)))
        v128.store(partial + o, f32x4.add(v128.load(partial + o), g))
        const centred = f32x4.sub(v128.load(x + o), v128.load(mean + o))
        v128.store(partialProducts + o, madd(g, centred, v128.load(partialProducts + o)))
      }
      for (; j < n; j++) {
        const o = <usize>j << 2
        const g = load<f32>(dy + o)
        if (writes) store<f32>(dx + o, g * load<f32>(factor + o))
        store<f32>(partial + o, load<f32>(partial + o) + g)
        const centred: f32 = load<f32>(x + o) - load<f32>(mean + o)
        store<f32>(partialProducts + o, load<f32>(partialProducts + o) + g * centred)
      }
      x += bytes
      dy += bytes
      if (writes) dx += bytes
    }
    addFloats(sums, partial, n)
    addFloats(products, partialProducts, n)
  }
}

/**
 * `mean` and `variance` [n] of each column. A block of rows is read twice, the second time from the cache: once for its mean,
 * once for its squared deviations, and is then combined with those before (Chan, Golub and LeVeque, 1979).
 * `partial` holds 2 n floats.
 */
export function columnMoments(x: usize, mean: usize, variance: usize, partial: usize, rows: i32, n: i32): void {
  const bytes = <usize>n << 2
  const squares = partial + bytes
  memory.fill(mean, 0, bytes)
  memory.fill(variance, 0, bytes)
  for (let start = 0; start < rows; start += ROWS) {
    const count = min(rows - start, ROWS)
    memory.fill(partial, 0, 2 * bytes)
    for (let row = 0; row < count; row++) addFloats(partial, x + <usize>row * bytes, n)
    scaleFloats(partial, 1 / <f32>count, n)
    for (let row = 0; row < count; row++) addSquares(squares, x + <usize>row * bytes, partial, n)
    const share: f32 = <f32>count / <f32>(start + count)
    const weight: f32 = <f32>start * share
    for (let j = 0; j < n; j++) {
      const o = <usize>j << 2
      const delta: f32 = load<f32>(partial + o) - load<f32>(mean + o)
      store<f32>(mean + o, load<f32>(mean + o) + delta * share)
      store<f32>(variance + o, load<f32>(variance + o) + (load<f32>(squares + o) + delta * delta * weight))
    }
    x += <usize>count * bytes
  }
  scaleFloats(variance, 1 / <f32>rows, n)
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function scaleFloats(x: usize, factor: f32, n: i32): void {
  for (let j = 0; j < n; j++) store<f32>(x + (<usize>j << 2), load<f32>(x + (<usize>j << 2)) * factor)
}

/** Adds (x - mean)^2. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function addSquares(to: usize, x: usize, mean: usize, n: i32): void {
  let j = 0
  for (; j + 4 <= n; j += 4) {
    const o = <usize>j << 2
    const centred = f32x4.sub(v128.load(x + o), v128.load(mean + o))
    v128.store(to + o, madd(centred, centred, v128.load(to + o)))
  }
  for (; j < n; j++) {
    const o = <usize>j << 2
    const centred: f32 = load<f32>(x + o) - load<f32>(mean + o)
    store<f32>(to + o, load<f32>(to + o) + centred * centred)
  }
}

/** dx = dy a + x b + c, by column. */
export function combineColumns(
  dy: usize,
  x: usize,
  a: usize,
  b: usize,
  c: usize,
  dx: usize,
  rows: i32,
  n: i32,
): void {
  for (let row = 0; row < rows; row++) {
    let j = 0
    for (; j + 4 <= n; j += 4) {
      const o = <usize>j << 2
      const pulled = madd(v128.load(x + o), v128.load(b + o), v128.load(c + o))
      v128.store(dx + o, madd(v128.load(dy + o), v128.load(a + o), pulled))
    }
    for (; j < n; j++) {
      const o = <usize>j << 2
      const pulled: f32 = load<f32>(x + o) * load<f32>(b + o) + load<f32>(c + o)
      store<f32>(dx + o, load<f32>(dy + o) * load<f32>(a + o) + pulled)
    }
    const bytes = <usize>n << 2
    dy += bytes
    x += bytes
    dx += bytes
  }
}
