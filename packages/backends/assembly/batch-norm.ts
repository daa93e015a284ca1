/** Normalisation by given statistics of each column (channel), and its gradient. */
import { addFloats } from './copy'
import { addFourRows } from './reduce'
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
  const bytes = <usize>n << 2
  let row = 0
  for (; row + 4 <= rows; row += 4) {
    normalizeRows(x, mean, factor, offset, y, n, 4)
    x += 4 * bytes
    y += 4 * bytes
  }
  for (; row < rows; row++) {
    normalizeRows(x, mean, factor, offset, y, n, 1)
    x += bytes
    y += bytes
  }
}

/** 1 or 4 rows, which is known to the compiler: the statistics are read once for all of them. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function normalizeRows(x: usize, mean: usize, factor: usize, offset: usize, y: usize, n: i32, rows: i32): void {
  const bytes = <usize>n << 2
  let j = 0
  for (; j + 4 <= n; j += 4) {
    const o = <usize>j << 2
    const means = v128.load(mean + o)
    const factors = v128.load(factor + o)
    const offsets = v128.load(offset + o)
    v128.store(y + o, madd(f32x4.sub(v128.load(x + o), means), factors, offsets))
    if (rows == 4) {
      v128.store(y + bytes + o, madd(f32x4.sub(v128.load(x + bytes + o), means), factors, offsets))
      v128.store(y + 2 * bytes + o, madd(f32x4.sub(v128.load(x + 2 * bytes + o), means), factors, offsets))
      v128.store(y + 3 * bytes + o, madd(f32x4.sub(v128.load(x + 3 * bytes + o), means), factors, offsets))
    }
  }
  for (; j < n; j++) {
    const column = <usize>j << 2
    for (let row = 0; row < rows; row++) {
      const o = column + <usize>row * bytes
      const centred: f32 = load<f32>(x + o) - load<f32>(mean + column)
      store<f32>(y + o, centred * load<f32>(factor + column) + load<f32>(offset + column))
    }
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
    let row = start
    for (; row + 4 <= end; row += 4) {
      addRowSums(x, dy, mean, factor, dx, partial, partialProducts, n, 4, writes)
      x += 4 * bytes
      dy += 4 * bytes
      dx += 4 * bytes
    }
    for (; row < end; row++) {
      addRowSums(x, dy, mean, factor, dx, partial, partialProducts, n, 1, writes)
      x += bytes
      dy += bytes
      dx += bytes
    }
    addFloats(sums, partial, n)
    addFloats(products, partialProducts, n)
  }
}

/** 1 or 4 rows: the sums are read and written once for all of them. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function addRowSums(
  x: usize,
  dy: usize,
  mean: usize,
  factor: usize,
  dx: usize,
  sums: usize,
  products: usize,
  n: i32,
  rows: i32,
  writes: bool,
): void {
  const bytes = <usize>n << 2
  let j = 0
  for (; j + 4 <= n; j += 4) {
    const o = <usize>j << 2
    const means = v128.load(mean + o)
    let g = v128.load(dy + o)
    if (writes) v128.store(dx + o, f32x4.mul(g, v128.load(factor + o)))
    let sum = f32x4.add(v128.load(sums + o), g)
    let product = madd(g, f32x4.sub(v128.load(x + o), means), v128.load(products + o))
    if (rows == 4) {
      g = v128.load(dy + bytes + o)
      if (writes) v128.store(dx + bytes + o, f32x4.mul(g, v128.load(factor + o)))
      sum = f32x4.add(sum, g)
      product = madd(g, f32x4.sub(v128.load(x + bytes + o), means), product)
      g = v128.load(dy + 2 * bytes + o)
      if (writes) v128.store(dx + 2 * bytes + o, f32x4.mul(g, v128.load(factor + o)))
      sum = f32x4.add(sum, g)
      product = madd(g, f32x4.sub(v128.load(x + 2 * bytes + o), means), product)
      g = v128.load(dy + 3 * bytes + o)
      if (writes) v128.store(dx + 3 * bytes + o, f32x4.mul(g, v128.load(factor + o)))
      sum = f32x4.add(sum, g)
      product = madd(g, f32x4.sub(v128.load(x + 3 * bytes + o), means), product)
    }
    v128.store(sums + o, sum)
    v128.store(products + o, product)
  }
  for (; j < n; j++) {
    for (let row = 0; row < rows; row++) {
      const o = (<usize>j << 2) + <usize>row * bytes
      const column = <usize>j << 2
      const g = load<f32>(dy + o)
      if (writes) store<f32>(dx + o, g * load<f32>(factor + column))
      store<f32>(sums + column, load<f32>(sums + column) + g)
      const centred: f32 = load<f32>(x + o) - load<f32>(mean + column)
      store<f32>(products + column, load<f32>(products + column) + g * centred)
    }
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
    let row = 0
    for (; row + 4 <= count; row += 4) addFourRows(x + <usize>row * bytes, partial, n)
    for (; row < count; row++) addFloats(partial, x + <usize>row * bytes, n)
    scaleFloats(partial, 1 / <f32>count, n)
    for (row = 0; row + 4 <= count; row += 4) addSquares(squares, x + <usize>row * bytes, partial, n, 4)
    for (; row < count; row++) addSquares(squares, x + <usize>row * bytes, partial, n, 1)
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

/** Adds (x - mean)^2 of 1 or 4 rows. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function addSquares(to: usize, x: usize, mean: usize, n: i32, rows: i32): void {
  const bytes = <usize>n << 2
  let j = 0
  for (; j + 4 <= n; j += 4) {
    const o = <usize>j << 2
    const means = v128.load(mean + o)
    let centred = f32x4.sub(v128.load(x + o), means)
    let sum = madd(centred, centred, v128.load(to + o))
    if (rows == 4) {
      centred = f32x4.sub(v128.load(x + bytes + o), means)
      sum = madd(centred, centred, sum)
      centred = f32x4.sub(v128.load(x + 2 * bytes + o), means)
      sum = madd(centred, centred, sum)
      centred = f32x4.sub(v128.load(x + 3 * bytes + o), means)
      sum = madd(centred, centred, sum)
    }
    v128.store(to + o, sum)
  }
  for (; j < n; j++) {
    const o = <usize>j << 2
    for (let row = 0; row < rows; row++) {
      const centred: f32 = load<f32>(x + <usize>row * bytes + o) - load<f32>(mean + o)
      store<f32>(to + o, load<f32>(to + o) + centred * centred)
    }
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
  const bytes = <usize>n << 2
  let row = 0
  for (; row + 4 <= rows; row += 4) {
    combineRows(dy, x, a, b, c, dx, n, 4)
    dy += 4 * bytes
    x += 4 * bytes
    dx += 4 * bytes
  }
  for (; row < rows; row++) {
    combineRows(dy, x, a, b, c, dx, n, 1)
    dy += bytes
    x += bytes
    dx += bytes
  }
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function combineRows(dy: usize, x: usize, a: usize, b: usize, c: usize, dx: usize, n: i32, rows: i32): void {
  const bytes = <usize>n << 2
  let j = 0
  for (; j + 4 <= n; j += 4) {
    const o = <usize>j << 2
    const slopes = v128.load(a + o)
    const pulls = v128.load(b + o)
    const shifts = v128.load(c + o)
    v128.store(dx + o, madd(v128.load(dy + o), slopes, madd(v128.load(x + o), pulls, shifts)))
    if (rows == 4) {
      let to = o + bytes
      v128.store(dx + to, madd(v128.load(dy + to), slopes, madd(v128.load(x + to), pulls, shifts)))
      to += bytes
      v128.store(dx + to, madd(v128.load(dy + to), slopes, madd(v128.load(x + to), pulls, shifts)))
      to += bytes
      v128.store(dx + to, madd(v128.load(dy + to), slopes, madd(v128.load(x + to), pulls, shifts)))
    }
  }
  for (; j < n; j++) {
    const column = <usize>j << 2
    for (let row = 0; row < rows; row++) {
      const o = column + <usize>row * bytes
      const pulled: f32 = load<f32>(x + o) * load<f32>(b + column) + load<f32>(c + column)
      store<f32>(dx + o, load<f32>(dy + o) * load<f32>(a + column) + pulled)
    }
  }
}
