/** The attention ops: check the arguments, and dispatch. */
import * as tf from '@tensorflow/tfjs-core'
import { attentionOp } from './attention-op'
import {
  type AttentionInputs,
  type AttentionOptions,
  type AttentionProblem,
  attentionProblem,
} from './options'
import { additiveKeyMask, referenceAttention } from './reference'

/** Dropout draws a mask, which a gradient that computes the maps again could not know: it takes the plain ops. */
function attend(
  tensors: AttentionInputs,
  problem: AttentionProblem,
  { mask, keyMask }: AttentionOptions,
): tf.Tensor {
  const inputs: AttentionInputs = { ...tensors }
  if (mask) inputs.mask = mask
  if (keyMask) inputs.keyBias = additiveKeyMask(keyMask)
  return problem.dropout > 0 ? referenceAttention(inputs, problem) : attentionOp(inputs, problem)
}

/**
 * Differential attention: the difference of two softmax attention maps, applied to the values.
 *
 *     O = (softmax(scale Q1 K1') - lambda softmax(scale Q2 K2')) V
 *
 * Ye et al. 2024, "Differential Transformer" (arXiv 2410.05258), equation 1. Query heads 2h and 2h + 1 make head h.
 *
 * @param q `[batch, 2 heads, query, width]`
 * @param k `[batch, 2 valueHeads, key, width]`; or `[batch, valueHeads, key, width]`, when both maps read the same keys (V2).
 * @param v `[batch, valueHeads, key, valueWidth]`; `valueHeads` divides `heads`.
 * @param lambda A number, a scalar tensor, or one per token and head: `[batch, heads, query]`.
 * @param options See {@link AttentionOptions}. With `layout: 'length-first'`, heads and length change places everywhere.
 * @returns `[batch, heads, query, valueWidth]`. A query that sees no key gets zeros.
 * @throws When shapes or options do not fit.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { diffAttention } from '@tfgraft/diff-attention'
 *
 * const [q, k, v] = [tf.randomNormal([1, 4, 8, 16]), tf.randomNormal([1, 4, 8, 16]), tf.randomNormal([1, 2, 8, 32])]
 * console.log(diffAttention(q, k, v, 0.5, { causal: true }).shape) // [1, 2, 8, 32]
 * ```
 */
export function diffAttention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  lambda: tf.Tensor | number,
  options: AttentionOptions = {},
): tf.Tensor {
  const problem = attentionProblem('diffAttention', 2, q, k, v, options)
  const { batch, heads, queries } = problem
  return tf.tidy(() => {
    const factor = typeof lambda === 'number' ? tf.scalar(lambda) : lambda
    const perToken = problem.layout === 'heads-first' ? [batch, heads, queries] : [batch, queries, heads]
    if (factor.rank !== 0 && `${factor.shape}` !== `${perToken}`)
      throw new Error(
        `diffAttention: \`lambda\` must be a scalar or [${perToken}]. Received lambda=[${factor.shape}].`,
      )
    return attend({ q, k, v, lambda: factor }, problem, options)
  })
}

/**
 * Plain attention with the kernels of {@link diffAttention}: O = softmax(scale Q K') V.
 *
 * @param q `[batch, heads, query, width]`
 * @param k `[batch, valueHeads, key, width]`
 * @param v `[batch, valueHeads, key, valueWidth]`; `valueHeads` divides `heads`.
 * @param options See {@link AttentionOptions}.
 * @returns `[batch, heads, query, valueWidth]`. A query that sees no key gets zeros.
 * @throws When shapes or options do not fit.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { scaledDotProductAttention } from '@tfgraft/diff-attention'
 *
 * const x = tf.randomNormal([1, 2, 8, 16])
 * console.log(scaledDotProductAttention(x, x, x, { causal: true }).shape) // [1, 2, 8, 16]
 * ```
 */
export function scaledDotProductAttention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  options: AttentionOptions = {},
): tf.Tensor {
  const problem = attentionProblem('scaledDotProductAttention', 1, q, k, v, options)
  return tf.tidy(() => attend({ q, k, v }, problem, options))
}
