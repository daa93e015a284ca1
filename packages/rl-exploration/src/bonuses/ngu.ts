/**
 * Never Give Up: episodic pseudo-counts, modulated by how new an observation is over all of training:
 * `r = r_episodic min(max(alpha, 1), L)`, `alpha = 1 + (error - mean) / std` of a random network distillation.
 *
 * Paper: Badia et al. 2020, arXiv 2002.06038, equation 1; k 10, kernel epsilon 1e-3, cluster distance 8e-3, L 5.
 */
import * as tf from '@tensorflow/tfjs-core'
import { RunningMeanStd, type RunningMeanStdState } from '../functional/running-mean-std'
import { hostResult, mlp } from '../networks/network'
import { type BonusMethod, defineBonus } from './define-bonus'
import { inverseModel } from './dynamics'
import { EpisodicMemory, type EpisodicMemoryState } from './episodic-memory'
import {
  inverseLoss,
  memoryRewards,
  nguPaper,
  type PseudoCountsOptions,
  splitMemoryOptions,
} from './pseudo-counts'
import { rndReward } from './rnd'

/** Options of {@link ngu}. */
export interface NguOptions extends PseudoCountsOptions {
  /** L, the largest modulation. @default 5 */
  maxModulation?: number
}

/**
 * Never Give Up as a method.
 *
 * @example
 * ```ts
 * import { useBackend } from '@tfgraft/backends'
 * import { gridWorld, ngu, ppo, trainAgent } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * const env = gridWorld('DoorKey-5x5-v0', { numEnvs: 8, seed: 1 })
 * const setup = ngu().apply(ppo(env, { numSteps: 16, warmupRollouts: 1 }))
 * const { agent, history } = await trainAgent(setup, { totalSteps: 128 })
 * console.log(history[0].bonuses.ngu)
 * agent.dispose()
 * ```
 */
export function ngu({ maxModulation = 5, ...given }: NguOptions = {}): BonusMethod {
  if (!(maxModulation >= 1))
    throw new Error(`ngu: \`maxModulation\` must be 1 or more. Received maxModulation=${maxModulation}.`)
  const { memory: memoryOptions, rest } = splitMemoryOptions(given)
  const { hidden = 64, features = 32, ...options } = rest
  new EpisodicMemory(1, memoryOptions) // rejects bad options now
  return defineBonus({
    name: 'ngu',
    paper: nguPaper,
    options,
    defaults: { coefficient: 0.1, normalize: 'rms', episodic: true },
    core(context, random) {
      const { observationSize } = context
      const inverse = inverseModel(context, { hidden, features }, random)
      const memory = new EpisodicMemory(context.numEnvs, memoryOptions)
      const target = mlp({ sizes: [observationSize, hidden, features], random })
      const predictor = mlp({ sizes: [observationSize, hidden, hidden, features], random })
      const errors = new RunningMeanStd(1)
      return {
        variables: [...inverse.variables, ...predictor.variables],
        frozen: target.variables,
        async raw(experience, { nextObservations }) {
          const episodic = await memoryRewards(memory, inverse, experience, nextObservations)
          const novelty = await hostResult(() => {
            const rows = nextObservations.length / observationSize
            const x = tf.tensor2d(nextObservations, [rows, observationSize])
            return rndReward(target.apply(x), predictor.apply(x))
          })
          errors.update(novelty)
          const [mean, std] = [errors.mean[0]!, Math.sqrt(errors.variance[0]!)]
          return episodic.map((reward, row) => {
            const alpha = 1 + (novelty[row]! - mean) / std
            return reward * Math.min(Math.max(alpha, 1), maxModulation)
          })
        },
        loss(batch) {
          const { nextObservations } = batch
          const error = tf.sub(predictor.apply(nextObservations), target.apply(nextObservations))
          return tf.add(inverseLoss(inverse)(batch), tf.mean(tf.square(error), 1))
        },
        save: () => ({ memory: memory.save(), errors: errors.save() }),
        load(state) {
          memory.load(state.memory as EpisodicMemoryState)
          errors.load(state.errors as RunningMeanStdState)
        },
      }
    },
  })
}
