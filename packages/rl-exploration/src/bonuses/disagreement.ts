/**
 * Disagreement: the variance among the forward models of an ensemble. What is random by nature they all predict
 * alike, so that a noisy television does not hold the agent.
 *
 * Paper: Pathak, Gandhi & Gupta 2019, "Self-Supervised Exploration via Disagreement", arXiv 1906.04161, equation 1;
 * 5 models over fixed random features.
 */
import * as tf from '@tensorflow/tfjs-core'
import { hostResult, mlp } from '../networks/network'
import { type BonusMethod, type BonusOptions, defineBonus } from './define-bonus'
import { type DynamicsOptions, forwardModel, withActions } from './dynamics'
import { rolloutTensors } from './icm'

/** Options of {@link disagreement}. */
export interface DisagreementOptions extends BonusOptions, DynamicsOptions {
  /** Number of forward models, 2 or more. @default 5 */
  models?: number
}

/**
 * Disagreement as a method.
 *
 * @example
 * ```ts
 * import { useBackend } from '@tfgraft/backends'
 * import { disagreement, gridWorld, ppo, trainAgent } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * const env = gridWorld('DoorKey-5x5-v0', { numEnvs: 8, seed: 1 })
 * const setup = disagreement({ models: 3 }).apply(ppo(env, { numSteps: 16, warmupRollouts: 1 }))
 * const { agent, history } = await trainAgent(setup, { totalSteps: 128 })
 * console.log(history[0].bonuses.disagreement)
 * agent.dispose()
 * ```
 */
export function disagreement({
  models = 5,
  hidden,
  features = 32,
  ...options
}: DisagreementOptions = {}): BonusMethod {
  if (!(Number.isInteger(models) && models >= 2))
    throw new Error(`disagreement: \`models\` must be 2 or more. Received models=${models}.`)
  return defineBonus({
    name: 'disagreement',
    paper: {
      title: 'Self-Supervised Exploration via Disagreement',
      authors: ['Pathak', 'Gandhi', 'Gupta'],
      year: 2019,
      url: 'https://arxiv.org/abs/1906.04161',
    },
    options,
    defaults: { coefficient: 0.1, normalize: 'rms', episodic: false },
    core(context, random) {
      const encoder = mlp({ sizes: [context.observationSize, hidden ?? 64, features], random })
      const ensemble = Array.from({ length: models }, () =>
        forwardModel(context, { hidden, features }, random),
      )
      return {
        variables: ensemble.flatMap((model) => model.variables),
        frozen: encoder.variables,
        raw: (experience, normalized) =>
          hostResult(() => {
            const { observations, actions } = rolloutTensors(experience, normalized, context)
            const input = withActions(encoder.apply(observations), actions, context)
            const predictions = tf.stack(ensemble.map((model) => model.apply(input))) // [models, batch, features]
            return tf.mean(tf.moments(predictions, 0).variance, 1)
          }),
        loss({ observations, nextObservations, actions }) {
          const input = withActions(encoder.apply(observations), actions, context)
          const next = encoder.apply(nextObservations)
          return ensemble
            .map((model) => tf.mean(tf.square(tf.sub(model.apply(input), next)), 1))
            .reduce((sum, error) => tf.add(sum, error))
        },
      }
    },
  })
}
