/**
 * Batch normalisation of the rows of one part of a batch by their own statistics, and its gradient.
 * Rows are positions, columns are channels. Sums of many rows are kept in pieces of `ROWS`, so that they stay exact.
 */
import { madd } from '../../backends/assembly/simd'

const ROWS: i32 = 128

/** Adds `partial` to `total` and clears it; `n` floats. */
function flush(partial: usize, total: usize, n: i32, scale: f32): void {
  for (let j = 0; j < n; j++) {
    const o = <usize>j << 2
    store<f32>(total + o, load<f32>(total + o) + load<f32>(partial + o) * scale)
    store<f32>(partial + o, 0)
  }
}

/**
 * mean, variance (biased) and y = (x - mean) gamma / sqrt(variance + epsilon) + beta, by column; two passes over x for
 * the statistics, since the difference of squares cancels. `inverse` is 1 / sqrt(variance + epsilon). `partial` holds 2 n floats.
 */
export function normalizePart(
  x: usize,
  gamma: usize,
  beta: usize,
  y: usize,
  mean: usize,
  variance: usize,
  inverse: usize,
  partial: usize,
  rows: i32,
  n: i32,
  epsilon: f32,
): void {
  const bytes = <usize>n << 2
  const factor = partial + bytes
  const scale: f32 = 1 / <f32>rows
  memory.fill(partial, 0, bytes)
  memory.fill(mean, 0, bytes)
  memory.fill(variance, 0, bytes)
  let at = x
  for (let row = 0; row < rows; row++) {
    let j = 0
    for (; j + 4 <= n; j += 4) {
      const o = <usize>j << 2
      v128.store(partial + o, f32x4.add(v128.load(partial + o), v128.load(at + o)))
    }
    for (; j < n; j++) {
      const o = <usize>j << 2
      store<f32>(partial + o, load<f32>(partial + o) + load<f32>(at + o))
    }
    at += bytes
    if ((row & (ROWS - 1)) == ROWS - 1) flush(partial, mean, n, scale)
  }
  flush(partial, mean, n, scale)
  at = x
  for (let row = 0; row < rows; row++) {
    let j = 0
    for (; j + 4 <= n; j += 4) {
      const o = <usize>j << 2
      const centred = f32x4.sub(v128.load(at + o), v128.load(mean + o))
      v128.store(partial + o, madd(centred, centred, v128.load(partial + o)))
    }
    for (; j < n; j++) {
      const o = <usize>j << 2
      const centred: f32 = load<f32>(at + o) - load<f32>(mean + o)
      store<f32>(partial + o, load<f32>(partial + o) + centred * centred)
    }
    at += bytes
    if ((row & (ROWS - 1)) == ROWS - 1) flush(partial, variance, n, scale)
  }
  flush(partial, variance, n, scale)
  for (let j = 0; j < n; j++) {
    const o = <usize>j << 2
    const root: f32 = 1 / sqrt<f32>(load<f32>(variance + o) + epsilon)
    store<f32>(inverse + o, root)
    store<f32>(factor + o, root * load<f32>(gamma + o))
  }
  for (let row = 0; row < rows; row++) {
    let j = 0
    for (; j + 4 <= n; j += 4) {
      const o = <usize>j << 2
      const centred = f32x4.sub(v128.load(x + o), v128.load(mean + o))
      v128.store(y + o, madd(centred, v128.load(factor + o), v128.load(beta + o)))
    }
    for (; j < n; j++) {
      const o = <usize>j << 2
      const centred: f32 = load<f32>(x + o) - load<f32>(mean + o)
      store<f32>(y + o, centred * load<f32>(factor + o) + load<f32>(beta + o))
    }
    x += bytes
    y += bytes
  }
}

/**
 * dbeta = sum dy, dgamma = sum dy (x - mean) inverse,
 * dx = gamma inverse (dy - dbeta / rows - (x - mean) inverse dgamma / rows), by column. `partial` holds 3 n floats.
 */
export function normalizePartGradient(
  x: usize,
  dy: usize,
  gamma: usize,
  mean: usize,
  inverse: usize,
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  partial: usize,
  rows: i32,
  n: i32,
): void {
  const bytes = <usize>n << 2
  const products = partial + bytes
  const factor = products + bytes
  memory.fill(partial, 0, 2 * bytes)
  memory.fill(dgamma, 0, bytes)
  memory.fill(dbeta, 0, bytes)
  let at = x
  let up = dy
  for (let row = 0; row < rows; row++) {
    let j = 0
    for (; j + 4 <= n; j += 4) {
      const o = <usize>j << 2
      const g = v128.load(up + o)
      const centred = f32x4.sub(v128.load(at + o), v128.load(mean + o))
      v128.store(partial + o, f32x4.add(v128.load(partial + o), g))
      v128.store(products + o, madd(g, centred, v128.load(products + o)))
    }
    for (; j < n; j++) {
      const o = <usize>j << 2
      const g = load<f32>(up + o)
      store<f32>(partial + o, load<f32>(partial + o) + g)
      store<f32>(products + o, load<f32>(products + o) + g * (load<f32>(at + o) - load<f32>(mean + o)))
    }
    at += bytes
    up += bytes
    if ((row & (ROWS - 1)) == ROWS - 1) {
      flush(partial, dbeta, n, 1)
      flush(products, dgamma, n, 1)
    }
  }
  flush(partial, dbeta, n, 1)
  flush(products, dgamma, n, 1)
  // dx = factor (dy - shift - (x - mean) pull)
  for (let j = 0; j < n; j++) {
    const o = <usize>j << 2
    const root = load<f32>(inverse + o)
    const sum: f32 = load<f32>(dgamma + o) * root
    store<f32>(dgamma + o, sum)
    store<f32>(factor + o, root * load<f32>(gamma + o))
    store<f32>(partial + o, load<f32>(dbeta + o) / <f32>rows)
    store<f32>(products + o, (sum * root) / <f32>rows)
  }
  for (let row = 0; row < rows; row++) {
    let j = 0
    for (; j + 4 <= n; j += 4) {
      const o = <usize>j << 2
      const centred = f32x4.sub(v128.load(x + o), v128.load(mean + o))
      const rest = f32x4.sub(f32x4.sub(v128.load(dy + o), v128.load(partial + o)), f32x4.mul(centred, v128.load(products + o)))
      v128.store(dx + o, f32x4.mul(rest, v128.load(factor + o)))
    }
    for (; j < n; j++) {
      const o = <usize>j << 2
      const centred: f32 = load<f32>(x + o) - load<f32>(mean + o)
      const rest: f32 = load<f32>(dy + o) - load<f32>(partial + o) - centred * load<f32>(products + o)
      store<f32>(dx + o, rest * load<f32>(factor + o))
    }
    x += bytes
    dy += bytes
    dx += bytes
  }
}

/** out = running + rate (value scale - running), `n` floats: a running statistic, moved towards that of a batch. */
export function moveStatistic(running: usize, value: usize, out: usize, n: i32, rate: f32, scale: f32): void {
  for (let j = 0; j < n; j++) {
    const o = <usize>j << 2
    const before = load<f32>(running + o)
    store<f32>(out + o, before + rate * (load<f32>(value + o) * scale - before))
  }
}
