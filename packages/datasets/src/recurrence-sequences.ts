/**
 * Synthetic sequences for language models: a noisy linear recurrence. Each element follows from the ones before it by
 * a rule that differs from sequence to sequence, so a model must infer the rule from the context, which is what
 * attention is for.
 *
 *   a_n = a_{n-1} + 1          with probability `noise`
 *   a_n = sum_i c_i a_{n-i}    otherwise, all modulo `modulus`
 */
import { createRandom } from '@tfgraft/core'

export interface RecurrenceOptions {
  /** Number of sequences. A positive integer. */
  count: number
  /** Elements per sequence, above `order`. @default 64 */
  length?: number
  /** How many earlier elements an element depends on. @default 2 */
  order?: number
  /** Elements are 0 to `modulus - 1`. @default 7 */
  modulus?: number
  /** Probability of an element that ignores the rule, 0 to 1. @default 0.1 */
  noise?: number
  /**
   * `each`: every sequence draws its own coefficients. An array: these coefficients (`order` of them) for all.
   * @default 'each'
   */
  coefficients?: 'each' | readonly number[]
  seed: number
}

/**
 * Draws sequences.
 *
 * @returns int32 `[count, length]`, row by row.
 * @throws When an option breaks its rule.
 *
 * @example
 * ```ts
 * import { recurrenceSequences } from '@tfgraft/datasets'
 *
 * const fibonacci = recurrenceSequences({ count: 1, length: 8, noise: 0, coefficients: [1, 1], seed: 1 })
 * console.log(fibonacci) // each element the sum of the two before it, modulo 7
 * ```
 */
export function recurrenceSequences({
  count,
  length = 64,
  order = 2,
  modulus = 7,
  noise = 0.1,
  coefficients = 'each',
  seed,
}: RecurrenceOptions): Int32Array {
  const fail = (rule: string, received: string): never => {
    throw new Error(`recurrenceSequences: ${rule}. Received ${received}.`)
  }
  if (!Number.isInteger(count) || count < 1) fail('`count` must be a positive integer', `count=${count}`)
  if (!Number.isInteger(order) || order < 1) fail('`order` must be a positive integer', `order=${order}`)
  if (!Number.isInteger(length) || length <= order)
    fail('`length` must be an integer above `order`', `length=${length}, order=${order}`)
  if (!Number.isInteger(modulus) || modulus < 2)
    fail('`modulus` must be an integer of at least 2', `modulus=${modulus}`)
  if (!(noise >= 0 && noise <= 1)) fail('`noise` must be 0 to 1', `noise=${noise}`)
  if (coefficients !== 'each' && coefficients.length !== order)
    fail('`coefficients` must have `order` numbers', `[${coefficients}], order=${order}`)
  const random = createRandom(seed)
  const sequences = new Int32Array(count * length)
  for (let row = 0; row < count; row++) {
    const sequence = sequences.subarray(row * length, (row + 1) * length)
    const draw = () => random.integer(0, modulus)
    const rule = coefficients === 'each' ? Array.from({ length: order }, draw) : coefficients
    for (let n = 0; n < length; n++) {
      if (n < order) sequence[n] = draw()
      else if (random.uniform() < noise) sequence[n] = (sequence[n - 1]! + 1) % modulus
      else {
        const sum = rule.reduce((total, coefficient, i) => total + coefficient * sequence[n - 1 - i]!, 0)
        sequence[n] = ((sum % modulus) + modulus) % modulus
      }
    }
  }
  return sequences
}
