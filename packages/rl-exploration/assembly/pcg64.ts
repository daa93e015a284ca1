/**
 * numpy's PCG64 (O'Neill 2014, XSL-RR 128/64). A stream is 32 bytes: state low, state high, increment low, high,
 * followed by a buffer of 32-bit draws: numpy hands out the low half of each 64-bit output first.
 */
const MULTIPLIER_HIGH: u64 = 0x2360ed051fc65da4
const MULTIPLIER_LOW: u64 = 0x4385df649fccf645
const HEADER: usize = 32

// @ts-ignore: decorator
@inline
function multiplyHigh(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff
  const a1 = a >> 32
  const b0 = b & 0xffffffff
  const b1 = b >> 32
  const middle = a1 * b0 + ((a0 * b0) >> 32)
  return a1 * b1 + (middle >> 32) + ((a0 * b1 + (middle & 0xffffffff)) >> 32)
}

/** Fills the buffer of `draws` 32-bit numbers (an even count) behind the stream. */
export function refill(stream: usize, draws: i32): void {
  let low = load<u64>(stream)
  let high = load<u64>(stream, 8)
  const incrementLow = load<u64>(stream, 16)
  const incrementHigh = load<u64>(stream, 24)
  const end = stream + HEADER + ((<usize>draws) << 2)
  for (let at = stream + HEADER; at < end; at += 8) {
    const productHigh = multiplyHigh(low, MULTIPLIER_LOW) + high * MULTIPLIER_LOW + low * MULTIPLIER_HIGH
    const productLow = low * MULTIPLIER_LOW
    low = productLow + incrementLow
    high = productHigh + incrementHigh + u64(low < productLow)
    store<u64>(at, rotr<u64>(high ^ low, high >> 58))
  }
  store<u64>(stream, low)
  store<u64>(stream, high, 8)
}

/** Starts a stream from the four words of numpy's `SeedSequence.generate_state(4)` that lie at its place. */
export function seedStream(stream: usize): void {
  const seedHigh = load<u64>(stream)
  const seedLow = load<u64>(stream, 8)
  const sequenceHigh = load<u64>(stream, 16)
  const sequenceLow = load<u64>(stream, 24)
  const incrementLow = (sequenceLow << 1) | 1
  const incrementHigh = (sequenceHigh << 1) | (sequenceLow >> 63)
  // From state 0: one step gives the increment; then the seed is added, and one more step taken.
  const low = incrementLow + seedLow
  const high = incrementHigh + seedHigh + u64(low < incrementLow)
  const productHigh = multiplyHigh(low, MULTIPLIER_LOW) + high * MULTIPLIER_LOW + low * MULTIPLIER_HIGH
  const productLow = low * MULTIPLIER_LOW
  const nextLow = productLow + incrementLow
  store<u64>(stream, nextLow)
  store<u64>(stream, productHigh + incrementHigh + u64(nextLow < productLow), 8)
  store<u64>(stream, incrementLow, 16)
  store<u64>(stream, incrementHigh, 24)
}

/** An integer in `[0, range)` as numpy draws it (Lemire 2019), refilling the buffer when it is used up. */
export function drawBounded(stream: usize, nextDraw: usize, draws: i32, range: u32): u32 {
  if (range == 1) return 0
  let product = <u64>draw(stream, nextDraw, draws) * range
  if (<u32>product < range) {
    const threshold: u32 = (<u32>0 - range) % range
    while (<u32>product < threshold) product = <u64>draw(stream, nextDraw, draws) * range
  }
  return <u32>(product >> 32)
}

// @ts-ignore: decorator
@inline
function draw(stream: usize, nextDraw: usize, draws: i32): u32 {
  let next = load<i32>(nextDraw)
  if (next == draws) {
    refill(stream, draws)
    next = 0
  }
  store<i32>(nextDraw, next + 1)
  return load<u32>(stream + HEADER + ((<usize>next) << 2))
}

/** An integer in `[0, most]` as numpy's shuffle draws it: bits under a mask, rejected when too large. */
export function drawInterval(stream: usize, nextDraw: usize, draws: i32, most: u32): u32 {
  const mask: u32 = 0xffffffff >> <u32>clz<u32>(most)
  let value = draw(stream, nextDraw, draws) & mask
  while (value > most) value = draw(stream, nextDraw, draws) & mask
  return value
}
