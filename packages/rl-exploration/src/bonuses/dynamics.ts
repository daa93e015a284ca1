/**
 * Models of the environment's dynamics in a learnt feature space, which several bonuses share: features from an
 * inverse model (which action led from one observation to the next?), and a forward model of those features.
 */
import * as tf from '@tensorflow/tfjs-core'
import { categorical } from '../functional/distributions'
import { hostResult, mlp, type Network } from '../networks/network'
import type { SavableRandom } from '../networks/random'
import type { BonusContext } from './bonus'

/** Sizes of the networks. */
export interface DynamicsOptions {
  /** Width of the hidden layers. @default 64 */
  hidden?: number
  /** Number of features. @default 32 */
  features?: number
}

/** Actions as a matrix of numbers: one-hot rows, or what they are. */
export function actionRows(actions: tf.Tensor, { numActions, discrete }: BonusContext): tf.Tensor2D {
  if (!discrete) return actions as tf.Tensor2D
  return tf.cast(tf.oneHot(tf.cast(actions, 'int32'), numActions), 'float32') as tf.Tensor2D
}

export interface InverseModel {
  readonly variables: readonly tf.Variable[]
  /** `[batch, features]` */
  encode(observations: tf.Tensor): tf.Tensor2D
  /** Features of rows of the host, on the host. */
  encodeRows(rows: Float32Array): Promise<Float32Array>
  /** `[batch]`: how badly the action is told from the features before and after it. */
  loss(before: tf.Tensor2D, after: tf.Tensor2D, actions: tf.Tensor): tf.Tensor1D
}

/** Features that are trained to tell which action was taken (Pathak et al. 2017, equation 2). */
export function inverseModel(
  context: BonusContext,
  { hidden = 64, features = 32 }: DynamicsOptions,
  random: SavableRandom,
): InverseModel {
  const { observationSize, numActions, discrete } = context
  const encoder = mlp({ sizes: [observationSize, hidden, features], random })
  const classifier = mlp({ sizes: [2 * features, hidden, numActions], random })
  return {
    variables: [...encoder.variables, ...classifier.variables],
    encode: (observations) => encoder.apply(observations),
    encodeRows: (rows) => encodeRows(encoder, rows, observationSize),
    loss(before, after, actions) {
      const guess = classifier.apply(tf.concat2d([before, after], 1))
      if (!discrete) return tf.mean(tf.square(tf.sub(guess, actions)), 1) as tf.Tensor1D
      return tf.neg(categorical(guess).logProb(actions))
    },
  }
}

/** Features of rows of the host, on the host. */
export function encodeRows(encoder: Network, rows: Float32Array, size: number): Promise<Float32Array> {
  return hostResult(() => encoder.apply(tf.tensor2d(rows, [rows.length / size, size])))
}

/** A network from features and action to the next features. */
export function forwardModel(
  { numActions }: BonusContext,
  { hidden = 64, features = 32 }: DynamicsOptions,
  random: SavableRandom,
): Network {
  return mlp({ sizes: [features + numActions, hidden, features], random })
}

/** Input of a {@link forwardModel}. */
export function withActions(features: tf.Tensor2D, actions: tf.Tensor, context: BonusContext): tf.Tensor2D {
  return tf.concat2d([features, actionRows(actions, context)], 1)
}
