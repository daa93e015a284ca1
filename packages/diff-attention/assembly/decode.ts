/** Attention of one query over a cache of keys and values: bound by reading the cache once. */
import { madd, sumLanes } from '../../backends/assembly/simd'
import { addBias, exponentials, LOG2_E } from './softmax'

/** `s` [keys] = log2(e) scale q . k */
function dots(q: usize, k: usize, stride: usize, keys: i32, width: i32, scale: f32, s: usize): void {
  const vectors = width & ~3
  const factor = scale * LOG2_E
  for (let key = 0; key < keys; key++) {
    let sums = f32x4.splat(0)
    let i = 0
    for (; i < vectors; i += 4) sums = madd(v128.load(q + (i << 2)), v128.load(k + (i << 2)), sums)
    let sum = sumLanes(sums)
    for (; i < width; i++) sum += load<f32>(q + (i << 2)) * load<f32>(k + (i << 2))
    store<f32>(s + (key << 2), sum * factor)
    k += stride
  }
}

/** out += weight[key] * v[key], over all keys. */
function weigh(weights: usize, v: usize, stride: usize, keys: i32, width: i32, out: usize): void {
  const vectors = width & ~3
  memory.fill(out, 0, width << 2)
  for (let key = 0; key < keys; key++) {
    const w = load<f32>(weights + (key << 2))
    const weight = f32x4.splat(w)
    let i = 0
    for (; i < vectors; i += 4)
      v128.store(out + (i << 2), madd(weight, v128.load(v + (i << 2)), v128.load(out + (i << 2))))
    for (; i < width; i++) store<f32>(out + (i << 2), load<f32>(out + (i << 2)) + w * load<f32>(v + (i << 2)))
    v += stride
  }
}

/**
 * One head, one query. The arguments are those of `attendForward`, with keys and values as rows.
 *
 * @param scratch 2 rows of keys, each rounded up to 4.
 */
export function decode(
  query1: usize,
  query2: usize,
  width: i32,
  scale: f32,
  key1: usize,
  key2: usize,
  keyStride: usize,
  value: usize,
  valueStride: usize,
  keys: i32,
  valueWidth: i32,
  lambda: usize,
  bias: usize,
  keyBias: usize,
  out: usize,
  scratch: usize,
): void {
  const s1 = scratch
  const s2 = s1 + (((keys + 3) & ~3) << 2)
  dots(query1, key1, keyStride, keys, width, scale, s1)
  if (bias) addBias(s1, bias, keys)
  if (keyBias) addBias(s1, keyBias, keys)
  const first = exponentials(s1, keys, keys)
  let second: f32 = 0
  if (query2) {
    dots(query2, key2, keyStride, keys, width, scale, s2)
    if (bias) addBias(s2, bias, keys)
    if (keyBias) addBias(s2, keyBias, keys)
    second = exponentials(s2, keys, keys) * load<f32>(lambda)
  }
  for (let key = 0; key < keys; key++) {
    const at = key << 2
    let w = load<f32>(s1 + at) * first
    if (query2) w -= load<f32>(s2 + at) * second
    store<f32>(s1 + at, w)
  }
  weigh(s1, value, valueStride, keys, valueWidth, out)
}
