/**
 * The order in which examples are drawn. Kept to integer arithmetic, so that a seed names the same split on every
 * machine and in every version of this package: published splits depend on it.
 */

/** `0 .. count - 1` in an order fixed by `seed` (Fisher-Yates over the 32-bit generator SplitMix32). */
export function shuffledIndices(count: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  let state = (seed ^ 0x9e3779b9) >>> 0
  const next = () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return (mixed ^ (mixed >>> 16)) >>> 0
  }
  for (let i = count - 1; i > 0; i--) {
    // Multiply and shift instead of modulo: no bias towards small indices beyond 2^-32 i.
    const j = Math.floor((next() * (i + 1)) / 2 ** 32)
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
  return order
}

/** A seed for epoch `epoch` of a run with `seed`. */
export const epochSeed = (seed: number, epoch: number): number =>
  (Math.imul(seed, 0x01000193) + epoch * 0x61c88647) | 0
