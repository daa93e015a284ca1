/**
 * Intrinsic curiosity module: the reward is the error of a forward model in the feature space of an inverse model,
 * so that only what actions can influence counts.
 *
 * Paper: Pathak, Agrawal, Efros & Darrell 2017, "Curiosity-driven Exploration by Self-supervised Prediction",
 * arXiv 1705.05363: `r = 1/2 ||f(phi(s), a) - phi(s')||^2`, loss `(1 - beta) L_inverse + beta L_forward`, beta 0.2.
 */
import * as tf from '@tensorflow/tfjs-core'
import { hostResult } from '../networks/network'
import type { BonusContext, Experience } from './bonus'
import { type BonusMethod, type BonusOptions, defineBonus, type NormalizedObservations } from './define-bonus'
import { type DynamicsOptions, forwardModel, inverseModel, withActions } from './dynamics'

/** Options of {@link icm}. */
export interface IcmOptions extends BonusOptions, DynamicsOptions {
  /** beta: weight of the forward model's loss; the inverse model has the rest. @default 0.2 */
  forwardWeight?: number
}

/** A rollout as tensors. Call inside `tf.tidy`. */
export function rolloutTensors(
  experience: Experience,
  { observations, nextObservations }: NormalizedObservations,
  { observationSize, discrete, numActions }: BonusContext,
) {
  const rows = experience.numSteps * experience.numEnvs
  return {
    observations: tf.tensor2d(observations, [rows, observationSize]),
    nextObservations: tf.tensor2d(nextObservations, [rows, observationSize]),
    actions: discrete
      ? tf.tensor1d(experience.actions as Int32Array, 'int32')
      : tf.tensor2d(experience.actions as Float32Array, [rows, numActions]),
  }
}

/**
 * The intrinsic curiosity module as a method.
 *
 * @example
 * ```ts
 * import { useBackend } from '@tfgraft/backends'
 * import { gridWorld, icm, ppo, trainAgent } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * const env = gridWorld('DoorKey-5x5-v0', { numEnvs: 8, seed: 1 })
 * const setup = icm({ coefficient: 0.05 }).apply(ppo(env, { numSteps: 16, warmupRollouts: 1 }))
 * const { agent, history } = await trainAgent(setup, { totalSteps: 128 })
 * console.log(history[0].bonuses.icm)
 * agent.dispose()
 * ```
 */
export function icm({ hidden, features, forwardWeight = 0.2, ...options }: IcmOptions = {}): BonusMethod {
  if (!(forwardWeight >= 0 && forwardWeight <= 1))
    throw new Error(`icm: \`forwardWeight\` must be within 0 and 1. Received forwardWeight=${forwardWeight}.`)
  return defineBonus({
    name: 'icm',
    paper: {
      title: 'Curiosity-driven Exploration by Self-supervised Prediction',
      authors: ['Pathak', 'Agrawal', 'Efros', 'Darrell'],
      year: 2017,
      url: 'https://arxiv.org/abs/1705.05363',
    },
    options,
    defaults: { coefficient: 0.1, normalize: 'rms', episodic: false },
    core(context, random) {
      const inverse = inverseModel(context, { hidden, features }, random)
      const forward = forwardModel(context, { hidden, features }, random)
      const surprise = (before: tf.Tensor2D, after: tf.Tensor2D, actions: tf.Tensor) =>
        tf.mul(0.5, tf.sum(tf.square(tf.sub(forward.apply(withActions(before, actions, context)), after)), 1))
      return {
        variables: [...inverse.variables, ...forward.variables],
        raw: (experience, normalized) =>
          hostResult(() => {
            const rollout = rolloutTensors(experience, normalized, context)
            const before = inverse.encode(rollout.observations)
            return surprise(before, inverse.encode(rollout.nextObservations), rollout.actions)
          }),
        loss({ observations, nextObservations, actions }) {
          const [before, after] = [inverse.encode(observations), inverse.encode(nextObservations)]
          return tf.add(
            tf.mul(surprise(before, after, actions), forwardWeight),
            tf.mul(inverse.loss(before, after, actions), 1 - forwardWeight),
          )
        },
      }
    },
  })
}
