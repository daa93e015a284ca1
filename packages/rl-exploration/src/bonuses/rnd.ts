/**
 * Random network distillation. The reward is the error of a network that is trained to predict the outputs of a
 * fixed random network: small where it has been before.
 *
 * Paper: Burda, Edwards, Storkey & Klimov 2018, "Exploration by Random Network Distillation", arXiv 1810.12894.
 * Reference: CleanRL's `ppo_rnd_envpool.py`.
 *
 * Differs from the reference:
 * - The predictor learns from the observations that were rewarded (those after each step), as in the paper and its
 *   authors' code. The reference rewards those too, but learns from those before each step: `learnFrom: 'observations'`.
 * - The discounted sums that normalise rewards run over time, not over environments.
 */
import * as tf from '@tensorflow/tfjs-core'
import { hostResult, mlp } from '../networks/network'
import { type BonusMethod, type BonusOptions, defineBonus, maskedMean } from './define-bonus'

/** Options of {@link rnd}. */
export interface RndOptions extends BonusOptions {
  /** Width of the hidden layers. @default 64 */
  hidden?: number
  /** Number of outputs that are predicted. @default 64 */
  features?: number
  /** Observations that the predictor learns from: those after each step, or as in CleanRL before. @default 'nextObservations' */
  learnFrom?: 'nextObservations' | 'observations'
}

/**
 * `1/2 sum_k (target_k - prediction_k)^2` of each row: `[batch]`.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { useBackend } from '@tfgraft/backends'
 * import { rndReward } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * rndReward(tf.tensor2d([[1, 2]]), tf.tensor2d([[0, 0]])).print() // 2.5
 * ```
 */
export function rndReward(target: tf.Tensor, prediction: tf.Tensor): tf.Tensor1D {
  return tf.tidy(() => tf.mul(0.5, tf.sum(tf.squaredDifference(target, prediction), 1)) as tf.Tensor1D)
}

/**
 * Mean squared error over features, then over the samples whose `mask` is 1 (divided by 1 at least).
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { useBackend } from '@tfgraft/backends'
 * import { rndLoss } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * rndLoss(tf.tensor2d([[1, 2]]), tf.tensor2d([[0, 0]])).print() // 2.5
 * ```
 */
export function rndLoss(target: tf.Tensor, prediction: tf.Tensor, mask?: tf.Tensor): tf.Scalar {
  return tf.tidy(() => {
    const errors = tf.mean(tf.square(tf.sub(prediction, target)), 1)
    return mask ? maskedMean(errors, mask) : (tf.mean(errors) as tf.Scalar)
  })
}

/**
 * Random network distillation as a method.
 *
 * @example
 * ```ts
 * import { useBackend } from '@tfgraft/backends'
 * import { rnd } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * // As a plain object: rewards fall where it has learnt.
 * const bonus = rnd({ normalize: 'none' }).create({
 *   observationSize: 3, numActions: 2, discrete: true, numEnvs: 1, seed: 0,
 * })
 * const observations = Float32Array.of(0, 1, 2, 2, 1, 0)
 * const experience = {
 *   numSteps: 2, numEnvs: 1, observations, nextObservations: observations,
 *   actions: Int32Array.of(0, 1), ended: Uint8Array.of(0, 0),
 * }
 * bonus.observe(observations)
 * const before = await bonus.reward(experience)
 * for (let k = 0; k < 20; k++) await bonus.update(experience)
 * console.log(before, await bonus.reward(experience))
 * ```
 */
export function rnd({
  hidden = 64,
  features = 64,
  learnFrom = 'nextObservations',
  ...options
}: RndOptions = {}): BonusMethod {
  if (learnFrom !== 'nextObservations' && learnFrom !== 'observations')
    throw new Error(
      `rnd: \`learnFrom\` must be 'nextObservations' or 'observations'. Received learnFrom=${learnFrom}.`,
    )
  return defineBonus({
    name: 'rnd',
    paper: {
      title: 'Exploration by Random Network Distillation',
      authors: ['Burda', 'Edwards', 'Storkey', 'Klimov'],
      year: 2018,
      url: 'https://arxiv.org/abs/1810.12894',
    },
    options,
    defaults: { coefficient: 0.1, normalize: 'rms', episodic: false },
    core({ observationSize }, random) {
      const target = mlp({ sizes: [observationSize, hidden, features], random })
      // Deeper than the target, so that it can learn what the target computes (section 3.1 of the paper).
      const predictor = mlp({ sizes: [observationSize, hidden, hidden, features], random })
      return {
        variables: predictor.variables,
        frozen: target.variables,
        raw: (_, { nextObservations }) =>
          hostResult(() => {
            const x = tf.tensor2d(nextObservations, [
              nextObservations.length / observationSize,
              observationSize,
            ])
            return rndReward(target.apply(x), predictor.apply(x))
          }),
        loss: ({ [learnFrom]: x }) => tf.mean(tf.square(tf.sub(predictor.apply(x), target.apply(x))), 1),
      }
    },
  })
}
