/**
 * Random numbers by Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011, section 4): four words are a
 * function of a key and a counter, so that any part of a stream can be computed alone. Element i of a tensor takes words from
 * the counter i / 4, four counters at a time.
 */
import { log } from './math'
import { loadPart, madd, storePart } from './simd'

/** Other kinds are uniform. Also in `src/ops/random.ts`. */
const NORMAL = 1
const TRUNCATED_NORMAL = 2

/** Upper and lower halves of the four products of 32 bits. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function high(even: v128, odd: v128): v128 {
  return v128.shuffle<i32>(even, odd, 1, 3, 5, 7)
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function low(even: v128, odd: v128): v128 {
  return v128.shuffle<i32>(even, odd, 0, 2, 4, 6)
}

/** Writes the words of the counters `first` to `first + 3`: 16 of them, word w of counter c at place 4 w + c. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function philox(first: u32, key0: u32, key1: u32, to: usize): void {
  let x0 = i32x4.add(i32x4.splat(first), i32x4(0, 1, 2, 3))
  let x1 = i32x4.splat(0)
  let x2 = x1
  let x3 = x1
  const m0 = i32x4.splat(0xd2511f53)
  const m1 = i32x4.splat(0xcd9e8d57)
  let k0 = key0
  let k1 = key1
  for (let round = 0; round < 10; round++) {
    const even0 = i64x2.extmul_low_i32x4_u(x0, m0)
    const odd0 = i64x2.extmul_high_i32x4_u(x0, m0)
    const even1 = i64x2.extmul_low_i32x4_u(x2, m1)
    const odd1 = i64x2.extmul_high_i32x4_u(x2, m1)
    x0 = v128.xor(v128.xor(high(even1, odd1), x1), i32x4.splat(k0))
    x2 = v128.xor(v128.xor(high(even0, odd0), x3), i32x4.splat(k1))
    x1 = low(even1, odd1)
    x3 = low(even0, odd0)
    k0 += 0x9e3779b9
    k1 += 0xbb67ae85
  }
  v128.store(to, x0)
  v128.store(to, x1, 16)
  v128.store(to, x2, 32)
  v128.store(to, x3, 48)
}

/** The middle of one of 2^23 intervals between 0 and 1: never 0 or 1. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function middle(words: v128): v128 {
  const steps = f32x4.convert_i32x4_s(i32x4.shr_u(words, 9))
  return madd(steps, f32x4.splat(1.1920928955078125e-7), f32x4.splat(5.9604644775390625e-8))
}

/** From 0 to 1 - 2^-24 in steps of 2^-24. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function unit(words: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(words, 8)), f32x4.splat(5.9604644775390625e-8))
}

/** sin and cos of 2 pi u, by quarters of the circle. `quarter` is 0 for the sine and 1 for the cosine. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function circle(u: v128, quarter: i32): v128 {
  const nearest = f32x4.nearest(f32x4.mul(u, f32x4.splat(4)))
  const r = f32x4.sub(u, f32x4.mul(nearest, f32x4.splat(0.25)))
  const s = f32x4.mul(r, r)
  let sine = f32x4.splat(-75.40184031092146)
  sine = madd(sine, s, f32x4.splat(81.59254820674947))
  sine = madd(sine, s, f32x4.splat(-41.34166260181896))
  sine = f32x4.mul(madd(sine, s, f32x4.splat(6.2831852878401095)), r)
  let cosine = f32x4.splat(-83.59221439333322)
  cosine = madd(cosine, s, f32x4.splat(64.9212435743858))
  cosine = madd(cosine, s, f32x4.splat(-19.739152173376468))
  cosine = madd(cosine, s, f32x4.splat(0.9999999723759497))
  const turn = i32x4.add(i32x4.trunc_sat_f32x4_s(nearest), i32x4.splat(quarter))
  const swap = i32x4.eq(v128.and(turn, i32x4.splat(1)), i32x4.splat(1))
  const sign = i32x4.shl(v128.and(turn, i32x4.splat(2)), 30)
  return v128.xor(v128.bitselect(cosine, sine, swap), sign)
}

/** The part of the normal distribution within two standard deviations. */
const WITHIN_TWO: f32 = 0.9544997361036416

/** The quantile function of the normal distribution within two standard deviations: v P(v^2) / Q(v^2), a fit to 1e-7, to 2e-5 as computed here. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function truncated(words: v128): v128 {
  const v = f32x4.mul(f32x4.sub(f32x4.add(middle(words), middle(words)), f32x4.splat(1)), f32x4.splat(WITHIN_TWO))
  const s = f32x4.mul(v, v)
  let p = f32x4.splat(0.047738483149482036)
  p = madd(p, s, f32x4.splat(-0.7278838587280589))
  p = madd(p, s, f32x4.splat(2.462107166637089))
  p = madd(p, s, f32x4.splat(-3.032812220490634))
  p = madd(p, s, f32x4.splat(1.2533141646469543))
  let q = f32x4.splat(0.11252294554703231)
  q = madd(q, s, f32x4.splat(-0.9526531168775179))
  q = madd(q, s, f32x4.splat(2.522554765443119))
  q = madd(q, s, f32x4.splat(-2.681630658045632))
  q = madd(q, s, f32x4.splat(1))
  return f32x4.min(f32x4.max(f32x4.div(f32x4.mul(v, p), q), f32x4.splat(-2)), f32x4.splat(2))
}

/** 16 samples in place of as many words. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function sample(kind: i32, words: usize): void {
  for (let pair = words; pair < words + 64; pair += 32) {
    const first = v128.load(pair)
    const second = v128.load(pair, 16)
    if (kind == NORMAL) {
      // Box and Muller, 1958: two normal numbers from two uniform ones.
      const radius = f32x4.sqrt(f32x4.mul(log(middle(first)), f32x4.splat(-2)))
      const angle = unit(second)
      v128.store(pair, f32x4.mul(radius, circle(angle, 0)))
      v128.store(pair, f32x4.mul(radius, circle(angle, 1)), 16)
    } else if (kind == TRUNCATED_NORMAL) {
      v128.store(pair, truncated(first))
      v128.store(pair, truncated(second), 16)
    } else {
      v128.store(pair, unit(first))
      v128.store(pair, unit(second), 16)
    }
  }
}

/**
 * y = offset + scale sample, for elements from `start` on, a multiple of 16; `count` of them. `words` is 64 bytes of memory of the
 * calling thread.
 */
export function random(
  kind: i32,
  y: usize,
  start: i32,
  count: i32,
  key0: i32,
  key1: i32,
  scale: f32,
  offset: f32,
  words: usize,
): void {
  const scales = f32x4.splat(scale)
  const offsets = f32x4.splat(offset)
  for (let i = 0; i < count; i += 16) {
    philox((start + i) >>> 2, key0, key1, words)
    sample(kind, words)
    for (let word = 0; word < 4; word++) {
      const left = count - i - 4 * word
      if (left <= 0) break
      const at = y + (<usize>(i + 4 * word) << 2)
      const value = f32x4.add(offsets, f32x4.mul(v128.load(words + (<usize>word << 4)), scales))
      if (left >= 4) v128.store(at, value)
      else storePart(at, value, left)
    }
  }
}

/** y = x / keep where a uniform number is below `keep`, else 0. As {@link random} otherwise. */
export function dropout(
  x: usize,
  y: usize,
  start: i32,
  count: i32,
  key0: i32,
  key1: i32,
  keep: f32,
  words: usize,
): void {
  const scales = f32x4.splat(1 / keep)
  const limit = f32x4.splat(keep)
  for (let i = 0; i < count; i += 16) {
    philox((start + i) >>> 2, key0, key1, words)
    for (let word = 0; word < 4; word++) {
      const left = count - i - 4 * word
      if (left <= 0) break
      const o = <usize>(i + 4 * word) << 2
      const kept = f32x4.lt(unit(v128.load(words + (<usize>word << 4))), limit)
      if (left >= 4) v128.store(y + o, v128.and(f32x4.mul(v128.load(x + o), scales), kept))
      else storePart(y + o, v128.and(f32x4.mul(loadPart(x + o, left), scales), kept), left)
    }
  }
}
