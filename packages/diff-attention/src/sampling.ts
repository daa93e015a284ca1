/**
 * Choosing the next token. Nucleus sampling: Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration"
 * (arXiv 1904.09751), section 3.1.
 */
import type { Random } from '@tfgraft/core'

export interface SamplingOptions {
  /** Divides the logits; 0 takes the largest logit. @default 1 */
  temperature?: number
  /** Keeps the most probable tokens, up to and including the one that reaches this mass; at least one. In [0, 1]. @default 1 */
  topP?: number
  /** Keeps at most this many of the most probable tokens. @default all */
  topK?: number
}

/** @throws When an option of `caller` is out of range. */
export function checkSampling(caller: string, { temperature = 1, topP = 1, topK }: SamplingOptions): void {
  const fail = (rule: string, received: string) => {
    throw new Error(`${caller}: ${rule}. Received ${received}.`)
  }
  if (!(temperature >= 0)) fail('`temperature` must be at least 0', `temperature=${temperature}`)
  if (!(topP >= 0 && topP <= 1)) fail('`topP` must be in [0, 1]', `topP=${topP}`)
  if (topK !== undefined && !(Number.isInteger(topK) && topK > 0))
    fail('`topK` must be a positive integer', `topK=${topK}`)
}

/**
 * The distribution that {@link nucleusSample} draws from: the softmax at `temperature`, restricted to the `topK` most probable
 * tokens and to those with less than `topP` of the mass strictly before them, in descending order, and normalised again.
 *
 * @param logits One number per token.
 * @returns One probability per token, zeros outside the nucleus.
 * @throws When an option is out of range.
 * @example
 * ```ts
 * import { nucleusDistribution } from '@tfgraft/diff-attention'
 * console.log(nucleusDistribution([1, 3, 2], { topP: 0.7 })) // about [0, 0.73, 0.27]
 * ```
 */
export function nucleusDistribution(logits: ArrayLike<number>, options: SamplingOptions = {}): Float64Array {
  checkSampling('nucleusDistribution', options)
  const { temperature = 1, topP = 1, topK = logits.length } = options
  const order = Array.from(logits, (_, i) => i).sort((a, b) => logits[b]! - logits[a]!)
  const result = new Float64Array(logits.length)
  const top = logits[order[0]!]!
  if (temperature === 0) {
    result[order[0]!] = 1
    return result
  }
  const weights = order.map((i) => Math.exp((logits[i]! - top) / temperature))
  const total = weights.reduce((sum, w) => sum + w, 0)
  let before = 0
  let kept = 0
  for (let rank = 0; rank < topK && rank < order.length; rank++) {
    if (rank > 0 && before / total >= topP) break
    before += weights[rank]!
    kept++
  }
  for (let rank = 0; rank < kept; rank++) result[order[rank]!] = weights[rank]! / before
  return result
}

/**
 * Draws a token from the nucleus of its distribution.
 *
 * @param logits One number per token.
 * @param random Where the randomness comes from.
 * @param options `temperature`, `topP`, `topK`.
 * @returns The number of the token.
 * @throws When an option is out of range.
 * @example
 * ```ts
 * import { createRandom } from '@tfgraft/core'
 * import { nucleusSample } from '@tfgraft/diff-attention'
 *
 * console.log(nucleusSample([0, 5, 0], createRandom(1), { topP: 0.9 })) // 1
 * ```
 */
export function nucleusSample(
  logits: ArrayLike<number>,
  random: Random,
  options: SamplingOptions = {},
): number {
  const probabilities = nucleusDistribution(logits, options)
  let left = random.uniform()
  let last = 0
  for (let i = 0; i < probabilities.length; i++) {
    if (probabilities[i] === 0) continue
    last = i
    left -= probabilities[i]!
    if (left < 0) return i
  }
  return last
}
