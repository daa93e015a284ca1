/**
 * Cross entropies of rows and their gradients. Labels are rows of weights (`labels` [rows, n]) or, where `labels` is 0, one class
 * each (`classes` [rows], int32); a class outside of 0 to n - 1 is none, as in `tf.oneHot`: loss and gradient are 0.
 */
import { exp, log } from './math'
import { loadUpTo4, storeUpTo4, sumLanes } from './simd'

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function logOf(x: f32): f32 {
  return f32x4.extract_lane(log(f32x4.splat(x)), 0)
}

/** The first `count` floats at `p`, and `rest`. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function loadOr(p: usize, count: i32, rest: f32): v128 {
  if (count == 4) return v128.load(p)
  const present = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count))
  return v128.bitselect(loadUpTo4(p, count), f32x4.splat(rest), present)
}

/** log(sum of e^x) of a row. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function logSumExp(x: usize, n: i32): f32 {
  let most = f32x4.splat(-Infinity)
  for (let j = 0; j < n; j += 4) most = f32x4.max(most, loadOr(x + (<usize>j << 2), min(n - j, 4), -Infinity))
  const largest = max<f32>(
    max<f32>(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max<f32>(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  )
  const shift = f32x4.splat(largest)
  let sums = f32x4.splat(0)
  for (let j = 0; j < n; j += 4)
    sums = f32x4.add(sums, exp(f32x4.sub(loadOr(x + (<usize>j << 2), min(n - j, 4), -Infinity), shift)))
  return largest + logOf(sumLanes(sums))
}

/** `loss` and `logSums` [rows]: the sum over labels times (log sum e^x - x), and the former for the gradient. */
export function softmaxCrossEntropy(
  logits: usize,
  labels: usize,
  classes: usize,
  loss: usize,
  logSums: usize,
  rows: i32,
  n: i32,
): void {
  const bytes = <usize>n << 2
  for (let row = 0; row < rows; row++) {
    const sum = logSumExp(logits, n)
    store<f32>(logSums + (<usize>row << 2), sum)
    let value: f32 = 0
    if (labels) {
      let products = f32x4.splat(0)
      for (let j = 0; j < n; j += 4) {
        const o = <usize>j << 2
        const count = min(n - j, 4)
        const surprise = f32x4.sub(f32x4.splat(sum), loadOr(logits + o, count, 0))
        const label = loadUpTo4(labels + o, count)
        // A masked logit, minus infinity, costs nothing where its label is 0.
        const product = v128.and(f32x4.mul(label, surprise), f32x4.ne(label, f32x4.splat(0)))
        products = f32x4.add(products, product)
      }
      value = sumLanes(products)
      labels += bytes
    } else {
      const label = load<i32>(classes + (<usize>row << 2))
      if (<u32>label < <u32>n) value = sum - load<f32>(logits + (<usize>label << 2))
    }
    store<f32>(loss + (<usize>row << 2), value)
    logits += bytes
  }
}

/** dx = dy (softmax(x) (sum of labels) - labels) */
export function softmaxCrossEntropyGradient(
  logits: usize,
  labels: usize,
  classes: usize,
  logSums: usize,
  dy: usize,
  dx: usize,
  rows: i32,
  n: i32,
): void {
  const bytes = <usize>n << 2
  for (let row = 0; row < rows; row++) {
    const d = load<f32>(dy + (<usize>row << 2))
    const sum = f32x4.splat(load<f32>(logSums + (<usize>row << 2)))
    const label = labels ? -1 : load<i32>(classes + (<usize>row << 2))
    let mass: f32 = 0
    if (labels) {
      let masses = f32x4.splat(0)
      for (let j = 0; j < n; j += 4) masses = f32x4.add(masses, loadUpTo4(labels + (<usize>j << 2), min(n - j, 4)))
      mass = sumLanes(masses)
    } else if (<u32>label < <u32>n) mass = 1
    const scale = f32x4.splat(d * mass)
    for (let j = 0; j < n; j += 4) {
      const o = <usize>j << 2
      const count = min(n - j, 4)
      let v = f32x4.mul(scale, exp(f32x4.sub(loadUpTo4(logits + o, count), sum)))
      if (labels) v = f32x4.sub(v, f32x4.mul(f32x4.splat(d), loadUpTo4(labels + o, count)))
      storeUpTo4(dx + o, v, count)
    }
    if (<u32>label < <u32>n) {
      const at = dx + (<usize>label << 2)
      store<f32>(at, load<f32>(at) - d)
    }
    logits += bytes
    dx += bytes
    if (labels) labels += bytes
  }
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function within(x: v128, epsilon: f32): v128 {
  return f32x4.min(f32x4.max(x, f32x4.splat(epsilon)), f32x4.splat(1 - epsilon))
}

/** Sum of a row of probabilities, each clipped first if `epsilon` is not 0. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function sumOf(p: usize, n: i32, epsilon: f32): f32 {
  let sums = f32x4.splat(0)
  for (let j = 0; j < n; j += 4) {
    const count = min(n - j, 4)
    let v = loadUpTo4(p + (<usize>j << 2), count)
    if (epsilon) v = loadOrZero(within(v, epsilon), count)
    sums = f32x4.add(sums, v)
  }
  return sumLanes(sums)
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function loadOrZero(v: v128, count: i32): v128 {
  return v128.and(v, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count)))
}

/**
 * The cross entropy of probabilities as Keras has it: with q = p / sum(p), the sum over labels times -log(clip(q)), where clip
 * keeps within `epsilon` of 0 and 1. For classes, p is clipped before it is divided, too.
 */
export function crossEntropy(
  p: usize,
  labels: usize,
  classes: usize,
  loss: usize,
  rows: i32,
  n: i32,
  epsilon: f32,
): void {
  const bytes = <usize>n << 2
  for (let row = 0; row < rows; row++) {
    let value: f32 = 0
    if (labels) {
      const inverse = f32x4.splat(1 / sumOf(p, n, 0))
      let products = f32x4.splat(0)
      for (let j = 0; j < n; j += 4) {
        const o = <usize>j << 2
        const count = min(n - j, 4)
        const q = within(f32x4.mul(loadUpTo4(p + o, count), inverse), epsilon)
        products = f32x4.add(products, f32x4.mul(loadUpTo4(labels + o, count), log(q)))
      }
      value = -sumLanes(products)
      labels += bytes
    } else {
      const label = load<i32>(classes + (<usize>row << 2))
      if (<u32>label < <u32>n) {
        const own = within(v128.load32_splat(p + (<usize>label << 2)), epsilon)
        const q = within(f32x4.div(own, f32x4.splat(sumOf(p, n, epsilon))), epsilon)
        value = -f32x4.extract_lane(log(q), 0)
      }
    }
    store<f32>(loss + (<usize>row << 2), value)
    p += bytes
  }
}

/** 1 where `x` is within `epsilon` of 0 and 1, else 0: the slope of the clipping. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function isWithin(x: v128, epsilon: f32): v128 {
  return v128.and(f32x4.ge(x, f32x4.splat(epsilon)), f32x4.le(x, f32x4.splat(1 - epsilon)))
}

/** With g = -labels / q where q was not clipped: dp = dy (g - sum of g q) / sum(p). */
export function crossEntropyGradient(
  p: usize,
  labels: usize,
  classes: usize,
  dy: usize,
  dp: usize,
  rows: i32,
  n: i32,
  epsilon: f32,
): void {
  const bytes = <usize>n << 2
  for (let row = 0; row < rows; row++) {
    const d = load<f32>(dy + (<usize>row << 2))
    if (labels) {
      const inverse: f32 = 1 / sumOf(p, n, 0)
      const scale = f32x4.splat(inverse)
      let mass = f32x4.splat(0)
      for (let j = 0; j < n; j += 4) {
        const o = <usize>j << 2
        const count = min(n - j, 4)
        const q = f32x4.mul(loadUpTo4(p + o, count), scale)
        mass = f32x4.add(mass, v128.and(loadUpTo4(labels + o, count), isWithin(q, epsilon)))
      }
      const factor = f32x4.splat(d * inverse)
      const pull = f32x4.splat(sumLanes(mass))
      for (let j = 0; j < n; j += 4) {
        const o = <usize>j << 2
        const count = min(n - j, 4)
        const q = f32x4.mul(loadUpTo4(p + o, count), scale)
        const g = v128.and(f32x4.div(loadUpTo4(labels + o, count), q), isWithin(q, epsilon))
        storeUpTo4(dp + o, f32x4.mul(factor, f32x4.sub(pull, g)), count)
      }
      labels += bytes
    } else {
      const label = load<i32>(classes + (<usize>row << 2))
      memory.fill(dp, 0, bytes)
      if (<u32>label < <u32>n) classGradient(p, label, d, dp, n, epsilon)
    }
    p += bytes
    dp += bytes
  }
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function classGradient(p: usize, label: i32, d: f32, dp: usize, n: i32, epsilon: f32): void {
  const inverse: f32 = 1 / sumOf(p, n, epsilon)
  const own: f32 = min<f32>(max<f32>(load<f32>(p + (<usize>label << 2)), epsilon), 1 - epsilon)
  const q: f32 = own * inverse
  if (q < epsilon || q > 1 - epsilon) return
  const pull = f32x4.splat(d * inverse)
  for (let j = 0; j < n; j += 4) {
    const o = <usize>j << 2
    const count = min(n - j, 4)
    storeUpTo4(dp + o, v128.and(pull, isWithin(loadUpTo4(p + o, count), epsilon)), count)
  }
  const at = dp + (<usize>label << 2)
  const there = load<f32>(p + (<usize>label << 2))
  if (there >= epsilon && there <= 1 - epsilon) store<f32>(at, load<f32>(at) - d / own)
}
