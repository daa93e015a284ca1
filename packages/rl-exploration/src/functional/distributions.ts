/** Action distributions: categorical over logits, and the diagonal Gaussian. Plain tf ops, differentiable. */
import * as tf from '@tensorflow/tfjs-core'

/** What a policy needs from the distribution of its actions. */
export interface ActionDistribution {
  /** `[batch]`: log probability (density) of `actions`. */
  logProb(actions: tf.Tensor): tf.Tensor1D
  /** `[batch]`: entropy in nats. */
  entropy(): tf.Tensor1D
  /** The most probable action of each row. */
  mode(): tf.Tensor
}

/**
 * Categorical distribution of unnormalised log probabilities.
 *
 * @param logits `[batch, actions]`.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { useBackend } from '@tfgraft/backends'
 * import { categorical } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * const policy = categorical(tf.zeros([1, 4]))
 * policy.entropy().print() // log 4
 * policy.logProb(tf.tensor1d([2], 'int32')).print() // -log 4
 * ```
 */
export function categorical(logits: tf.Tensor): ActionDistribution {
  if (logits.rank !== 2)
    throw new Error(`categorical: \`logits\` must be [batch, actions]. Received shape [${logits.shape}].`)
  const numActions = logits.shape[1]!
  const logProbs = () => tf.logSoftmax(logits)
  return {
    logProb: (actions) =>
      tf.tidy(() => {
        // A product with a one-hot matrix: gather has no gradient on stock wasm.
        const chosen = tf.cast(tf.oneHot(tf.cast(actions, 'int32'), numActions), 'float32')
        return tf.sum(tf.mul(logProbs(), chosen), 1) as tf.Tensor1D
      }),
    entropy: () =>
      tf.tidy(() => {
        const logs = logProbs()
        return tf.neg(tf.sum(tf.mul(tf.exp(logs), logs), 1)) as tf.Tensor1D
      }),
    mode: () => tf.argMax(logits, 1),
  }
}

const LOG_TWO_PI = Math.log(2 * Math.PI)

/**
 * Gaussian with independent components.
 *
 * @param mean `[batch, dimensions]`.
 * @param logStd `[dimensions]` or `[batch, dimensions]`: log of the standard deviations.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { useBackend } from '@tfgraft/backends'
 * import { diagonalGaussian } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * const policy = diagonalGaussian(tf.zeros([1, 2]), tf.zeros([2]))
 * policy.logProb(tf.zeros([1, 2])).print() // -log(2 pi)
 * ```
 */
export function diagonalGaussian(mean: tf.Tensor, logStd: tf.Tensor): ActionDistribution {
  if (mean.rank !== 2 || logStd.shape.at(-1) !== mean.shape[1])
    throw new Error(
      'diagonalGaussian: `mean` must be [batch, dimensions] and `logStd` must end in dimensions. ' +
        `Received mean [${mean.shape}], logStd [${logStd.shape}].`,
    )
  const spread = () => (logStd.rank === 2 ? logStd : tf.tile(tf.expandDims(logStd, 0), [mean.shape[0]!, 1]))
  return {
    logProb: (actions) =>
      tf.tidy(() => {
        const logs = spread()
        const z = tf.mul(tf.sub(actions, mean), tf.exp(tf.neg(logs)))
        const terms = tf.add(tf.mul(0.5, tf.square(z)), tf.add(logs, 0.5 * LOG_TWO_PI))
        return tf.neg(tf.sum(terms, 1)) as tf.Tensor1D
      }),
    entropy: () => tf.tidy(() => tf.sum(tf.add(spread(), 0.5 + 0.5 * LOG_TWO_PI), 1) as tf.Tensor1D),
    mode: () => tf.clone(mean),
  }
}
