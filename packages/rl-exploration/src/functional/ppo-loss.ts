/** The whole loss of a minibatch of PPO with any number of value streams, as a function of tensors. */
import * as tf from '@tensorflow/tfjs-core'
import { normalizeAdvantages, ppoPolicyLoss, valueLoss } from './losses'

/** What a minibatch is judged by. `values`, `returns`, `oldValues` are `[batch, streams]`, all else `[batch]`. */
export interface PpoLossInputs {
  /** Log probabilities of the actions now, and when they were taken. */
  logProbs: tf.Tensor
  oldLogProbs: tf.Tensor
  /** Entropies of the policy. */
  entropy: tf.Tensor
  /** Advantages of all streams together. */
  advantages: tf.Tensor
  values: tf.Tensor2D
  returns: tf.Tensor2D
  /** Values when the rollout was made. Needed where value losses are clipped. */
  oldValues?: tf.Tensor2D
}

/** Options of {@link ppoLoss}: those of `ppo` with the same names and defaults. */
export interface PpoLossOptions {
  /** @default 0.1 */
  clip?: number
  /** `true`: every stream. `'extrinsic'`: the first only, as CleanRL has it. @default false */
  clipValueLoss?: boolean | 'extrinsic'
  /** @default 0.001 */
  entropyCoefficient?: number
  /** @default 0.5 */
  valueCoefficient?: number
  /** @default true */
  normalizeAdvantages?: boolean
}

/** The loss and its parts, all scalars. `valueLoss` is the sum over streams. */
export interface PpoLossParts {
  loss: tf.Scalar
  policyLoss: tf.Scalar
  valueLoss: tf.Scalar
  entropy: tf.Scalar
  /** `mean((ratio - 1) - log ratio)`. */
  approximateKl: tf.Scalar
}

/**
 * `policy loss - c_entropy mean(entropy) + c_value sum over streams of 1/2 mean((V - R)^2)` (Schulman et al. 2017,
 * arXiv 1707.06347, equation 9). A bonus that learns adds its own loss to it, see `rndLoss`.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { useBackend } from '@tfgraft/backends'
 * import { ppoLoss } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * const { loss } = ppoLoss(
 *   {
 *     logProbs: tf.tensor1d([-1, -2]),
 *     oldLogProbs: tf.tensor1d([-1, -2]),
 *     entropy: tf.tensor1d([0.5, 0.5]),
 *     advantages: tf.tensor1d([1, 3]),
 *     values: tf.tensor2d([[0], [0]]),
 *     returns: tf.tensor2d([[2], [2]]),
 *   },
 *   { entropyCoefficient: 0.1, normalizeAdvantages: false },
 * )
 * loss.print() // -2 - 0.1 * 0.5 + 0.5 * 2
 * ```
 */
export function ppoLoss(
  { logProbs, oldLogProbs, entropy, advantages, values, returns, oldValues }: PpoLossInputs,
  {
    clip = 0.1,
    clipValueLoss = false,
    entropyCoefficient = 0.001,
    valueCoefficient = 0.5,
    normalizeAdvantages: normalize = true,
  }: PpoLossOptions = {},
): PpoLossParts {
  if (clipValueLoss && !oldValues)
    throw new Error(
      `ppoLoss: \`clipValueLoss\` needs \`oldValues\`. Received clipValueLoss=${clipValueLoss}.`,
    )
  const old = clipValueLoss ? oldValues : undefined
  return tf.tidy(() => {
    const logRatio = tf.sub(logProbs, oldLogProbs)
    const ratio = tf.exp(logRatio)
    const policyLoss = ppoPolicyLoss(ratio, normalize ? normalizeAdvantages(advantages) : advantages, clip)
    const entropyMean = tf.mean(entropy) as tf.Scalar
    const streams = values.shape[1]
    /** Streams `from` to `to`. A mean over all entries times the number of streams is the sum of their losses. */
    const losses = (from: number, to: number, before?: tf.Tensor2D) => {
      const part = (x: tf.Tensor2D) =>
        to - from === streams ? x : tf.slice2d(x, [0, from], [x.shape[0], to - from])
      const clipped = before ? { oldValues: part(before), clip } : undefined
      return tf.mul(valueLoss(part(values), part(returns), clipped), to - from) as tf.Scalar
    }
    const valueLosses =
      clipValueLoss === 'extrinsic' && streams > 1
        ? (tf.add(losses(0, 1, old), losses(1, streams)) as tf.Scalar)
        : losses(0, streams, old)
    return {
      loss: tf.addN([
        policyLoss,
        tf.mul(entropyMean, -entropyCoefficient),
        tf.mul(valueLosses, valueCoefficient),
      ]) as tf.Scalar,
      policyLoss,
      valueLoss: valueLosses,
      entropy: entropyMean,
      approximateKl: tf.mean(tf.sub(tf.sub(ratio, 1), logRatio)) as tf.Scalar,
    }
  })
}
