/**
 * The losses of proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347) as functions of tensors.
 */
import * as tf from '@tensorflow/tfjs-core'

/**
 * Clipped surrogate loss, `-mean(min(ratio A, clip(ratio, 1 - c, 1 + c) A))` (equation 7).
 *
 * @param ratio `[batch]`: probability of the action now over its probability when it was taken.
 * @param advantages `[batch]`.
 * @param clip The clipping coefficient c, above 0.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { useBackend } from '@tfgraft/backends'
 * import { ppoPolicyLoss } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * const loss = ppoPolicyLoss(tf.tensor1d([1, 10]), tf.tensor1d([1, 1]), 0.1)
 * console.log(loss.dataSync()[0]) // -(1 + 1.1) / 2
 * ```
 */
export function ppoPolicyLoss(ratio: tf.Tensor, advantages: tf.Tensor, clip: number): tf.Scalar {
  if (!(clip > 0)) throw new Error(`ppoPolicyLoss: \`clip\` must be above 0. Received clip=${clip}.`)
  tf.util.assertShapesMatch(ratio.shape, advantages.shape, 'ppoPolicyLoss: ')
  return tf.tidy(() => {
    const plain = tf.mul(ratio, advantages)
    const clipped = tf.mul(tf.clipByValue(ratio, 1 - clip, 1 + clip), advantages)
    return tf.neg(tf.mean(tf.minimum(plain, clipped))) as tf.Scalar
  })
}

/** Options of {@link valueLoss}. */
export interface ValueLossOptions {
  /** `[batch]`: the values when the rollout was made. With `clip`, limits how far a prediction pays to move. */
  oldValues?: tf.Tensor
  /** Clipping range of the move, above 0. Needs `oldValues`. */
  clip?: number
}

/**
 * `1/2 mean((V - R)^2)`, or with clipping `1/2 mean(max((V - R)^2, (V_old + clip(V - V_old, -c, c) - R)^2))`.
 *
 * @param values `[batch]` predictions.
 * @param returns `[batch]` targets.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { useBackend } from '@tfgraft/backends'
 * import { valueLoss } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * console.log(valueLoss(tf.tensor1d([1, 1]), tf.tensor1d([1, 3])).dataSync()[0]) // 1
 * ```
 */
export function valueLoss(
  values: tf.Tensor,
  returns: tf.Tensor,
  { oldValues, clip }: ValueLossOptions = {},
): tf.Scalar {
  if ((clip === undefined) !== (oldValues === undefined))
    throw new Error(
      `valueLoss: \`clip\` and \`oldValues\` go together. Received clip=${clip}, oldValues=${oldValues?.shape}.`,
    )
  tf.util.assertShapesMatch(values.shape, returns.shape, 'valueLoss: ')
  return tf.tidy(() => {
    const error = tf.square(tf.sub(values, returns))
    if (!oldValues || clip === undefined) return tf.mul(0.5, tf.mean(error)) as tf.Scalar
    const moved = tf.add(oldValues, tf.clipByValue(tf.sub(values, oldValues), -clip, clip))
    return tf.mul(0.5, tf.mean(tf.maximum(error, tf.square(tf.sub(moved, returns))))) as tf.Scalar
  })
}

/**
 * `(A - mean) / (std + 1e-8)` with the unbiased standard deviation, per minibatch.
 *
 * @param advantages `[batch]`, at least 2 of them.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { useBackend } from '@tfgraft/backends'
 * import { normalizeAdvantages } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * normalizeAdvantages(tf.tensor1d([1, 2, 3])).print() // -1, 0, 1
 * ```
 */
export function normalizeAdvantages<T extends tf.Tensor>(advantages: T): T {
  if (advantages.size < 2)
    throw new Error(`normalizeAdvantages: needs 2 advantages or more. Received ${advantages.size}.`)
  return tf.tidy(() => {
    const centred = tf.sub(advantages, tf.mean(advantages))
    const variance = tf.div(tf.sum(tf.square(centred)), advantages.size - 1)
    return tf.div(centred, tf.add(tf.sqrt(variance), 1e-8)) as T
  })
}
