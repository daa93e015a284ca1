/**
 * Seeded randomness that splits: what is drawn in one place does not depend on how much was drawn in another.
 * The generator is Alea (Baagøe 2010), which tfjs itself uses.
 */
/// <reference path="./seedrandom.d.ts" /> for whoever compiles this source from another project
import alea from 'seedrandom/lib/alea.js'

/** A stream of random numbers. The same seed gives the same stream on every machine. */
export interface Random {
  /** Uniform in [low, high). @default low 0, high 1 */
  uniform(low?: number, high?: number): number
  /** Normal. @default mean 0, stddev 1 */
  normal(mean?: number, stddev?: number): number
  /** Uniform integer in [low, high). */
  integer(low: number, high: number): number
  /** A new array with the same elements in random order. */
  shuffle<T>(values: ArrayLike<T>): T[]
  /** An independent stream that depends on this stream's seed and `key` only, not on what was drawn so far. */
  fork(key: string | number): Random
}

/**
 * Creates a seeded stream of random numbers.
 *
 * @example
 * ```ts
 * import { createRandom } from '@tfgraft/core'
 *
 * const random = createRandom(42)
 * const noise = random.normal(0, 0.1)
 * const order = random.fork('epoch 3').shuffle([0, 1, 2, 3]) // the same on every run
 * console.log(noise, order, random.integer(0, 10))
 * ```
 */
export function createRandom(seed: string | number): Random {
  if (typeof seed !== 'string' && !Number.isFinite(seed))
    throw new Error(`createRandom: \`seed\` must be a string or a finite number. Received seed=${seed}.`)
  const generator = alea(String(seed))
  const uniform = (low = 0, high = 1) => low + (high - low) * generator.double()
  const integer = (low: number, high: number) => {
    if (!(high > low))
      throw new Error(`Random.integer: \`high\` must exceed \`low\`. Received low=${low}, high=${high}.`)
    return low + Math.floor((high - low) * generator.double())
  }
  return {
    uniform,
    integer,
    // Box-Muller; 1 - u lies in (0, 1], so that the logarithm is finite.
    normal: (mean = 0, stddev = 1) =>
      mean + stddev * Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    shuffle: (values) => {
      const shuffled = Array.from(values)
      for (let i = shuffled.length - 1; i > 0; i--) {
        const j = integer(0, i + 1)
        ;[shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!]
      }
      return shuffled
    },
    fork: (key) => createRandom(`${seed}/${key}`),
  }
}

/**
 * Runs `body` with `Math.random` replaced by a seeded stream. tfjs draws the seed of every unseeded random op, dropout
 * and noise layers included, from `Math.random`: so this makes a training step, or a model's initial weights,
 * reproducible. `body` is synchronous, hence nobody else sees the replacement.
 *
 * @returns what `body` returns.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { withSeededMathRandom } from '@tfgraft/core'
 *
 * const noise = withSeededMathRandom(42, () => tf.randomNormal([4])) // the same on every run
 * noise.print()
 * ```
 */
export function withSeededMathRandom<T>(seed: string | number, body: () => T): T {
  const original = Math.random
  // Seeded when first drawn from: most training steps draw nothing.
  let draw: (() => number) | undefined
  Math.random = () => {
    draw ??= alea(String(seed)).double
    return draw()
  }
  try {
    return body()
  } finally {
    Math.random = original
  }
}
