/**
 * Keeps the largest magnitudes of each plane. A plane is `x[o, :, c]` of `x` [outer, size, inner].
 *
 * The r-th largest magnitude is bracketed by halving; in the worst case it is found by radix, since non-negative floats
 * order like their bits: a histogram of the upper 11 bits, then of those below within the one bin that holds it. Only
 * the last few candidates are sorted, and the time is linear in the worst case.
 */

const CHANNELS: i32 = 16 // one cache line of neighbouring channels is transposed and selected at a time
const BINS: i32 = 2048
const FEW: i32 = 32 // below it, an insertion sort is quicker than another pass
const PASSES: i32 = 12 // halvings before the radix selection takes over

/** Rows are padded to whole pairs of vectors. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function padded(size: i32): i32 {
  return (size + 7) & ~7
}

/** Transposes |x| of four positions and four channels. `to` is the row of the first channel. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function transpose4(from: usize, stride: usize, to: usize, row: usize): void {
  const a = f32x4.abs(v128.load(from))
  const b = f32x4.abs(v128.load(from + stride))
  const c = f32x4.abs(v128.load(from + 2 * stride))
  const d = f32x4.abs(v128.load(from + 3 * stride))
  const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5)
  const ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7)
  const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5)
  const cd1 = v128.shuffle<f32>(c, d, 2, 6, 3, 7)
  v128.store(to, v128.shuffle<f64>(ab0, cd0, 0, 2))
  v128.store(to + row, v128.shuffle<f64>(ab0, cd0, 1, 3))
  v128.store(to + 2 * row, v128.shuffle<f64>(ab1, cd1, 0, 2))
  v128.store(to + 3 * row, v128.shuffle<f64>(ab1, cd1, 1, 3))
}

/** Sorts `count` unsigned integers, descending. */
function insertionSort(at: usize, count: i32): void {
  for (let i = 1; i < count; i++) {
    const value = load<u32>(at + (i << 2))
    let j = i
    for (; j > 0 && load<u32>(at + ((j - 1) << 2)) < value; j--)
      store<u32>(at + (j << 2), load<u32>(at + ((j - 1) << 2)))
    store<u32>(at + (j << 2), value)
  }
}

/** Sum of the lanes of `counts`. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function total(counts: v128): i32 {
  return (
    i32x4.extract_lane(counts, 0) +
    i32x4.extract_lane(counts, 1) +
    i32x4.extract_lane(counts, 2) +
    i32x4.extract_lane(counts, 3)
  )
}

/**
 * The `rank`-th largest (from 1) of `n` magnitudes at `at`, whose row is padded with -1 to `length`. Halves an interval
 * of values that holds it, counting four at a time, until few are left; where that does not help (values of very
 * different size, infinities, NaN, many equal ones) the radix selection takes over.
 */
function selectMagnitude(at: usize, spare: usize, bins: usize, n: i32, length: i32, rank: i32): f32 {
  const zero = f32x4.splat(0)
  let atLeastZero = i32x4.splat(0)
  let aboveZero = i32x4.splat(0)
  let largest = zero
  for (let i = 0; i < length; i += 4) {
    const v = v128.load(at + (i << 2))
    atLeastZero = i32x4.sub(atLeastZero, f32x4.ge(v, zero))
    aboveZero = i32x4.sub(aboveZero, f32x4.gt(v, zero))
    largest = f32x4.max(largest, v)
  }
  let low: f32 = 0
  let high = max<f32>(
    max<f32>(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max<f32>(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
  )
  if (total(atLeastZero) != n) return reinterpret<f32>(selectLargest(at, spare, bins, n, rank)) // NaN
  if (total(aboveZero) < rank) return 0
  let ofHigh = countAtLeast(at, length, high)
  if (ofHigh >= rank) return high
  let ofLow = n
  // At least `rank` values are >= low, fewer are >= high.
  for (let pass = 0; pass < PASSES && ofLow - ofHigh > FEW; pass++) {
    const middle: f32 = 0.5 * low + 0.5 * high
    if (!(middle > low && middle < high)) break
    const count = countAtLeast(at, length, middle)
    if (count >= rank) {
      low = middle
      ofLow = count
    } else {
      high = middle
      ofHigh = count
    }
  }
  if (ofLow - ofHigh > FEW) return reinterpret<f32>(selectLargest(at, spare, bins, n, rank))
  const lows = f32x4.splat(low)
  const highs = f32x4.splat(high)
  let kept = 0
  for (let i = 0; i < length; i += 4) {
    const v = v128.load(at + (i << 2))
    const within = v128.and(f32x4.ge(v, lows), f32x4.lt(v, highs))
    if (!v128.any_true(within)) continue
    const lanes = i32x4.bitmask(within)
    for (let lane = 0; lane < 4; lane++) {
      store<u32>(spare + (kept << 2), load<u32>(at + ((i + lane) << 2)))
      kept += (lanes >> lane) & 1
    }
  }
  insertionSort(spare, kept)
  return load<f32>(spare + ((rank - ofHigh - 1) << 2))
}

/** The `rank`-th largest (from 1) of `n` unsigned integers below 2^31 at `at`; `spare` has room for as many. */
function selectLargest(at: usize, spare: usize, bins: usize, n: i32, rank: i32): u32 {
  let from = at
  let count = n
  let width: u32 = 11
  let shift: u32 = 20
  while (count > FEW) {
    const mask: u32 = (1 << width) - 1
    memory.fill(bins, 0, (mask + 1) << 2)
    for (let i = 0; i < count; i++) {
      const bin = bins + (((load<u32>(from + (i << 2)) >> shift) & mask) << 2)
      store<i32>(bin, load<i32>(bin) + 1)
    }
    let bin = mask
    while (load<i32>(bins + (bin << 2)) < rank) rank -= load<i32>(bins + (bin-- << 2))
    // Keep what fell into the bin. `spare` may be where it came from: reading is never behind writing.
    let kept = 0
    for (let i = 0; i < count; i++) {
      const value = load<u32>(from + (i << 2))
      store<u32>(spare + (kept << 2), value)
      kept += i32(((value >> shift) & mask) == bin)
    }
    from = spare
    count = kept
    if (shift == 0) return load<u32>(from) // all bits are equal
    width = 10
    shift -= 10
  }
  if (from == at) {
    memory.copy(spare, at, count << 2)
    from = spare
  }
  insertionSort(from, count)
  return load<u32>(from + ((rank - 1) << 2))
}

/** How many of `n` floats at `at` are at least `bound`. Rows are padded with -1 to a multiple of 8. */
function countAtLeast(at: usize, n: i32, bound: f32): i32 {
  const bounds = f32x4.splat(bound)
  let counts = i32x4.splat(0)
  let others = i32x4.splat(0)
  const end = at + (<usize>n << 2)
  for (; at < end; at += 32) {
    counts = i32x4.sub(counts, f32x4.ge(v128.load(at), bounds))
    others = i32x4.sub(others, f32x4.ge(v128.load(at, 16), bounds))
  }
  counts = i32x4.add(counts, others)
  return total(counts)
}

/** Least of `n` floats at `at` that exceeds `bound`, or `bound` when fewer than `needed` do. */
function nextAbove(at: usize, n: i32, bound: f32, needed: i32): f32 {
  const bounds = f32x4.splat(bound)
  const none = f32x4.splat(Infinity)
  let counts = i32x4.splat(0)
  let least = none
  for (let i = 0; i < n; i += 4) {
    const v = v128.load(at + (i << 2))
    const above = f32x4.gt(v, bounds)
    counts = i32x4.sub(counts, above)
    least = f32x4.min(least, v128.bitselect(v, none, above))
  }
  if (total(counts) < needed) return bound
  return min<f32>(
    min<f32>(f32x4.extract_lane(least, 0), f32x4.extract_lane(least, 1)),
    min<f32>(f32x4.extract_lane(least, 2), f32x4.extract_lane(least, 3)),
  )
}

/**
 * y = x factor, factor = `kept` where |x| >= threshold, else `dropped`. The threshold of a plane is
 * a + weight (b - a), where a is its `rank`-th largest |x| and b the next larger one. With `exact`, of several |x| equal
 * to the threshold only the first are kept, so that `rank` are kept in all.
 * `scratch` has 17 padded(size) + 2048 + 16 words: planes, candidates, histogram, thresholds.
 */
export function sparseTopK(
  x: usize,
  y: usize,
  factor: usize,
  scratch: usize,
  outer: i32,
  size: i32,
  inner: i32,
  rank: i32,
  weight: f32,
  exact: i32,
  kept: f32,
  dropped: f32,
): void {
  const length = padded(size)
  const row = <usize>length << 2
  const spare = scratch + row * CHANNELS
  const bins = spare + row
  const thresholds = bins + (BINS << 2)
  const stride = <usize>inner << 2
  const keptLanes = f32x4.splat(kept)
  const droppedLanes = f32x4.splat(dropped)
  for (let o = 0; o < outer; o++) {
    for (let first = 0; first < inner; first += CHANNELS) {
      const channels = min(CHANNELS, inner - first)
      const base = ((<usize>o * size * inner) << 2) + (<usize>first << 2)
      const whole = channels & ~3
      // Transpose |x| into rows.
      for (let c = 0; c < whole; c += 4) {
        let p = 0
        for (; p + 4 <= size; p += 4)
          transpose4(x + base + p * stride + (c << 2), stride, scratch + c * row + (p << 2), row)
        for (; p < size; p++)
          for (let d = c; d < c + 4; d++)
            store<f32>(scratch + d * row + (p << 2), abs<f32>(load<f32>(x + base + p * stride + (d << 2))))
      }
      for (let c = whole; c < channels; c++)
        for (let p = 0; p < size; p++)
          store<f32>(scratch + c * row + (p << 2), abs<f32>(load<f32>(x + base + p * stride + (c << 2))))
      for (let c = 0; c < channels; c++) {
        const plane = scratch + c * row
        for (let p = size; p < length; p++) store<f32>(plane + (p << 2), -1)
        const a = selectMagnitude(plane, spare, bins, size, length, rank)
        let threshold = a
        if (weight > 0) threshold = a + weight * (nextAbove(plane, length, a, rank - 1) - a)
        store<f32>(thresholds + (c << 2), threshold)
      }
      // Apply. NaN is not below any threshold and stays.
      for (let p = 0; p < size; p++) {
        const at = base + p * stride
        let c = 0
        for (; c < whole; c += 4) {
          const v = v128.load(x + at + (c << 2))
          const below = f32x4.lt(f32x4.abs(v), v128.load(thresholds + (c << 2)))
          const f = v128.bitselect(droppedLanes, keptLanes, below)
          v128.store(factor + at + (c << 2), f)
          v128.store(y + at + (c << 2), f32x4.mul(v, f))
        }
        for (; c < channels; c++) {
          const v = load<f32>(x + at + (c << 2))
          const f = abs<f32>(v) < load<f32>(thresholds + (c << 2)) ? dropped : kept
          store<f32>(factor + at + (c << 2), f)
          store<f32>(y + at + (c << 2), v * f)
        }
      }
      if (!exact) continue
      for (let c = 0; c < channels; c++) {
        const threshold = load<f32>(thresholds + (c << 2))
        let excess = countAtLeast(scratch + c * row, length, threshold) - rank
        for (let p = size - 1; excess > 0 && p >= 0; p--) {
          const at = base + p * stride + (c << 2)
          const v = load<f32>(x + at)
          if (abs<f32>(v) != threshold) continue
          store<f32>(factor + at, dropped)
          store<f32>(y + at, v * dropped)
          excess--
        }
      }
    }
  }
}
