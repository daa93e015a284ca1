/**
 * RIDE, rewarding impact-driven exploration: how far a step moves the observation in a learnt feature space, divided
 * by the square root of the visits to it in the episode.
 *
 * Paper: Raileanu & Rocktäschel 2020, arXiv 2002.12292: `r = ||phi(s') - phi(s)|| / sqrt(N_episode(s'))`, phi trained
 * by a forward and an inverse model as in ICM.
 */
import * as tf from '@tensorflow/tfjs-core'
import { hostResult } from '../networks/network'
import { type BonusMethod, defineBonus } from './define-bonus'
import { forwardModel, inverseModel, withActions } from './dynamics'
import { type IcmOptions, rolloutTensors } from './icm'
import { EpisodicVisits, type EpisodicVisitsState } from './visits'

/** Options of {@link ride}: those of ICM. */
export type RideOptions = IcmOptions

/**
 * RIDE as a method.
 *
 * @example
 * ```ts
 * import { useBackend } from '@tfgraft/backends'
 * import { gridWorld, ppo, ride, trainAgent } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * const env = gridWorld('MultiRoom-N2-S4-v0', { numEnvs: 8, seed: 1 })
 * const setup = ride().apply(ppo(env, { numSteps: 16, warmupRollouts: 1 }))
 * const { agent, history } = await trainAgent(setup, { totalSteps: 128 })
 * console.log(history[0].bonuses.ride)
 * agent.dispose()
 * ```
 */
export function ride({ hidden, features, forwardWeight = 0.2, ...options }: RideOptions = {}): BonusMethod {
  if (!(forwardWeight >= 0 && forwardWeight <= 1))
    throw new Error(
      `ride: \`forwardWeight\` must be within 0 and 1. Received forwardWeight=${forwardWeight}.`,
    )
  return defineBonus({
    name: 'ride',
    paper: {
      title: 'RIDE: Rewarding Impact-Driven Exploration for Procedurally-Generated Environments',
      authors: ['Raileanu', 'Rocktäschel'],
      year: 2020,
      url: 'https://arxiv.org/abs/2002.12292',
    },
    options,
    defaults: { coefficient: 0.1, normalize: 'rms', episodic: true },
    core(context, random) {
      const inverse = inverseModel(context, { hidden, features }, random)
      const forward = forwardModel(context, { hidden, features }, random)
      const visits = new EpisodicVisits(context.numEnvs)
      return {
        variables: [...inverse.variables, ...forward.variables],
        async raw(experience, normalized) {
          const counts = visits.visitCounts(experience)
          const impact = await hostResult(() => {
            const { observations, nextObservations } = rolloutTensors(experience, normalized, context)
            const moved = tf.sub(inverse.encode(nextObservations), inverse.encode(observations))
            return tf.sqrt(tf.sum(tf.square(moved), 1))
          })
          return impact.map((size, row) => size / Math.sqrt(counts[row]!))
        },
        loss({ observations, nextObservations, actions }) {
          const [before, after] = [inverse.encode(observations), inverse.encode(nextObservations)]
          const predicted = forward.apply(withActions(before, actions, context))
          const forwardLoss = tf.mul(0.5, tf.sum(tf.square(tf.sub(predicted, after)), 1))
          const inverseLoss = inverse.loss(before, after, actions)
          return tf.add(tf.mul(forwardLoss, forwardWeight), tf.mul(inverseLoss, 1 - forwardWeight))
        },
        save: () => ({ visits: visits.save() }),
        load: (state) => visits.load(state.visits as EpisodicVisitsState),
      }
    },
  })
}
