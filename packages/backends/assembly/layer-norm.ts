/** Layer normalisation of rows: y = (x - mean) / sqrt(variance + epsilon) * gain + bias. */
import { addFloats } from './copy'
import { madd, sumLanes } from './simd'

/** Rows whose gradients of gain and bias are added apart, so that long sums stay exact. */
const ROWS = 128

/**
 * `x`, `y` [rows, n]; `gain`, `bias` [n], or 0: none. `statistics` [rows, 2] are each row's mean and
 * 1 / sqrt(variance + epsilon). The variance is that of the centred row, which lies in the first cache.
 */
export function layerNorm(
  x: usize,
  gain: usize,
  bias: usize,
  y: usize,
  statistics: usize,
  rows: i32,
  n: i32,
  epsilon: f32,
): void {
  const whole = n & ~3
  const pairs = n & ~7
  const bytes = <usize>n << 2
  for (let row = 0; row < rows; row++) {
    // Two sums each, or every addition would wait for the one before.
    let sums = f32x4.splat(0)
    let others = sums
    let i = 0
    for (; i < pairs; i += 8) {
      sums = f32x4.add(sums, v128.load(x + (<usize>i << 2)))
      others = f32x4.add(others, v128.load(x + (<usize>i << 2), 16))
    }
    if (i < whole) {
      sums = f32x4.add(sums, v128.load(x + (<usize>i << 2)))
      i += 4
    }
    let sum = sumLanes(f32x4.add(sums, others))
    for (; i < n; i++) sum += load<f32>(x + (<usize>i << 2))
    const mean: f32 = sum / <f32>n
    const means = f32x4.splat(mean)
    sums = f32x4.splat(0)
    others = sums
    for (i = 0; i < pairs; i += 8) {
      const even = f32x4.sub(v128.load(x + (<usize>i << 2)), means)
      sums = madd(even, even, sums)
      const odd = f32x4.sub(v128.load(x + (<usize>i << 2), 16), means)
      others = madd(odd, odd, others)
    }
    if (i < whole) {
      const centred = f32x4.sub(v128.load(x + (<usize>i << 2)), means)
      sums = madd(centred, centred, sums)
      i += 4
    }
    let square = sumLanes(f32x4.add(sums, others))
    for (; i < n; i++) {
      const centred: f32 = load<f32>(x + (<usize>i << 2)) - mean
      square += centred * centred
    }
    const inverse: f32 = 1 / sqrt<f32>(square / <f32>n + epsilon)
    store<f32>(statistics, mean)
    store<f32>(statistics, inverse, 4)
    const inverses = f32x4.splat(inverse)
    for (i = 0; i < whole; i += 4) {
      const o = <usize>i << 2
      let v = f32x4.mul(f32x4.sub(v128.load(x + o), means), inverses)
      if (gain) v = f32x4.mul(v, v128.load(gain + o))
      if (bias) v = f32x4.add(v, v128.load(bias + o))
      v128.store(y + o, v)
    }
    for (; i < n; i++) {
      const o = <usize>i << 2
      let v: f32 = (load<f32>(x + o) - mean) * inverse
      if (gain) v *= load<f32>(gain + o)
      if (bias) v += load<f32>(bias + o)
      store<f32>(y + o, v)
    }
    x += bytes
    y += bytes
    statistics += 8
  }
}

/**
 * With z = (x - mean) inverse and g = dy gain: dx = inverse (g - mean(g) - z mean(g z)), and over the rows the sums
 * `dgain` of dy z and `dbias` of dy, both [n] and overwritten. `partial` holds 2 n floats.
 */
export function layerNormGradient(
  x: usize,
  gain: usize,
  statistics: usize,
  dy: usize,
  dx: usize,
  dgain: usize,
  dbias: usize,
  partial: usize,
  rows: i32,
  n: i32,
): void {
  const bytes = <usize>n << 2
  memory.fill(dgain, 0, bytes)
  memory.fill(dbias, 0, bytes)
  for (let start = 0; start < rows; start += ROWS) {
    memory.fill(partial, 0, 2 * bytes)
    const end = min(rows, start + ROWS)
    for (let row = start; row < end; row++) {
      rowGradient(x, gain, load<f32>(statistics), load<f32>(statistics, 4), dy, dx, partial, partial + bytes, n)
      x += bytes
      dy += bytes
      dx += bytes
      statistics += 8
    }
    addFloats(dgain, partial, n)
    addFloats(dbias, partial + bytes, n)
  }
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function rowGradient(
  x: usize,
  gain: usize,
  mean: f32,
  inverse: f32,
  dy: usize,
  dx: usize,
  dgain: usize,
  dbias: usize,
  n: i32,
): void {
  const whole = n & ~3
  const means = f32x4.splat(mean)
  const inverses = f32x4.splat(inverse)
  let sums = f32x4.splat(0)
  let products = sums
  let i = 0
  for (; i < whole; i += 4) {
    const o = <usize>i << 2
    const d = v128.load(dy + o)
    const z = f32x4.mul(f32x4.sub(v128.load(x + o), means), inverses)
    const g = gain ? f32x4.mul(d, v128.load(gain + o)) : d
    sums = f32x4.add(sums, g)
    products = madd(g, z, products)
    v128.store(dgain + o, madd(d, z, v128.load(dgain + o)))
    v128.store(dbias + o, f32x4.add(d, v128.load(dbias + o)))
  }
  let sum = sumLanes(sums)
  let product = sumLanes(products)
  for (; i < n; i++) {
    const o = <usize>i << 2
    const d = load<f32>(dy + o)
    const z: f32 = (load<f32>(x + o) - mean) * inverse
    const g: f32 = gain ? d * load<f32>(gain + o) : d
    sum += g
    product += g * z
    store<f32>(dgain + o, load<f32>(dgain + o) + d * z)
    store<f32>(dbias + o, load<f32>(dbias + o) + d)
  }
  const shift: f32 = sum / <f32>n
  const pull: f32 = product / <f32>n
  // dx = inverse g + slope (x - mean) + constant
  const slopes = f32x4.splat(-inverse * inverse * pull)
  const constants = f32x4.splat(-inverse * shift)
  for (i = 0; i < whole; i += 4) {
    const o = <usize>i << 2
    const d = v128.load(dy + o)
    const g = gain ? f32x4.mul(d, v128.load(gain + o)) : d
    const pulled = madd(f32x4.sub(v128.load(x + o), means), slopes, constants)
    v128.store(dx + o, madd(g, inverses, pulled))
  }
  for (; i < n; i++) {
    const o = <usize>i << 2
    const d = load<f32>(dy + o)
    const z: f32 = (load<f32>(x + o) - mean) * inverse
    const g: f32 = gain ? d * load<f32>(gain + o) : d
    store<f32>(dx + o, inverse * (g - shift - z * pull))
  }
}
