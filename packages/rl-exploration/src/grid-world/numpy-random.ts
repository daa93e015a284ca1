/**
 * `numpy.random.Generator(PCG64(SeedSequence(seed)))`, number for number. Written for clarity, with BigInt; the grid
 * worlds draw the same numbers from the wasm kernel `assembly/pcg64.ts`, which is tested against this.
 */
import { seedSequence } from './seed-sequence'

const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n
const MASK64 = (1n << 64n) - 1n
const MASK128 = (1n << 128n) - 1n

/**
 * A stream of numpy's random numbers.
 *
 * @example
 * ```ts
 * import { NumpyRandom } from '@tfgraft/rl-exploration'
 *
 * const random = new NumpyRandom(42) // numpy.random.default_rng(42)
 * console.log(random.integers(0, 100), random.integers(0, 100)) // 8, 77: as in Python
 * ```
 */
export class NumpyRandom {
  private state: bigint
  private readonly increment: bigint
  private upperHalf: number | undefined

  constructor(seed: number) {
    const words = seedSequence(seed)
    const word64 = (k: number) => (BigInt(words[2 * k + 1]!) << 32n) | BigInt(words[2 * k]!)
    this.increment = ((((word64(2) << 64n) | word64(3)) << 1n) | 1n) & MASK128
    this.state = this.increment + ((word64(0) << 64n) | word64(1))
    this.step()
  }

  private step(): void {
    this.state = (this.state * MULTIPLIER + this.increment) & MASK128
  }

  private next64(): bigint {
    this.step()
    const folded = ((this.state >> 64n) ^ this.state) & MASK64
    const rotation = this.state >> 122n
    return ((folded >> rotation) | (folded << ((64n - rotation) & 63n))) & MASK64
  }

  /** 32 random bits: the low half of a 64-bit draw, then its high half. */
  next32(): number {
    if (this.upperHalf !== undefined) {
      const half = this.upperHalf
      this.upperHalf = undefined
      return half
    }
    const draw = this.next64()
    this.upperHalf = Number(draw >> 32n)
    return Number(draw & 0xffffffffn)
  }

  /** An integer in `[low, high)`: Lemire's multiplication with rejection. A range of one draws nothing. */
  integers(low: number, high: number): number {
    const range = high - low
    if (!(range >= 1 && range <= 2 ** 20))
      throw new Error(
        `NumpyRandom: \`low\` must be below \`high\`, by 2^20 at most. Received low=${low}, high=${high}.`,
      )
    if (range === 1) return low
    let product = this.next32() * range
    const threshold = (2 ** 32 - range) % range
    while (product % 2 ** 32 < threshold) product = this.next32() * range
    return low + Math.floor(product / 2 ** 32)
  }

  /** A double in `[0, 1)`. Leaves a buffered half in place. */
  random(): number {
    return Number(this.next64() >> 11n) * 2 ** -53
  }

  /** One element. */
  choice<T>(elements: readonly T[]): T {
    return elements[this.integers(0, elements.length)]!
  }

  /** Shuffles in place, from the end, by masked rejection. */
  shuffle<T>(elements: T[]): void {
    for (let i = elements.length - 1; i > 0; i--) {
      const mask = 2 ** (32 - Math.clz32(i)) - 1
      let j: number
      do j = (this.next32() & mask) >>> 0
      while (j > i)
      ;[elements[i], elements[j]] = [elements[j]!, elements[i]!]
    }
  }
}
