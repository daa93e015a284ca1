/**
 * Pseudo-counts: the episodic half of Never Give Up alone, `1 / sqrt(N)` with N the kernel count of an embedding among
 * its nearest neighbours of the episode, in the feature space of an inverse model.
 *
 * Paper: Badia et al. 2020, "Never Give Up", arXiv 2002.06038, equations 1 and 2.
 *
 * Differs from the paper: an episode's first observation earns 1, where the formula would give 1 / c = 1000.
 */
import type * as tf from '@tensorflow/tfjs-core'
import type { BonusContext, Experience, ExperienceBatch } from './bonus'
import { type BonusMethod, type BonusOptions, defineBonus } from './define-bonus'
import { type DynamicsOptions, type InverseModel, inverseModel } from './dynamics'
import { EpisodicMemory, type EpisodicMemoryOptions, type EpisodicMemoryState } from './episodic-memory'

/** Options of {@link pseudoCounts}. */
export interface PseudoCountsOptions extends BonusOptions, DynamicsOptions, EpisodicMemoryOptions {}

/** Takes the options of the memory out of those of a bonus. */
export function splitMemoryOptions<O extends EpisodicMemoryOptions>(options: O) {
  const { neighbors, kernelEpsilon, clusterDistance, maxSimilarity, pseudoCount, capacity, ...rest } = options
  return { memory: { neighbors, kernelEpsilon, clusterDistance, maxSimilarity, pseudoCount, capacity }, rest }
}

/** Rewards of a rollout by an episodic memory. */
export async function memoryRewards(
  memory: EpisodicMemory,
  inverse: InverseModel,
  { numEnvs, ended }: Experience,
  nextObservations: Float32Array,
): Promise<Float32Array> {
  const embeddings = await inverse.encodeRows(nextObservations)
  const size = embeddings.length / ended.length
  return Float32Array.from(ended, (end, row) => {
    const reward = memory.visit(row % numEnvs, embeddings.slice(row * size, (row + 1) * size))
    if (end) memory.forget(row % numEnvs)
    return reward
  })
}

/** Loss of an inverse model on a minibatch. */
export const inverseLoss =
  (inverse: InverseModel) =>
  ({ observations, nextObservations, actions }: ExperienceBatch): tf.Tensor1D =>
    inverse.loss(inverse.encode(observations), inverse.encode(nextObservations), actions)

/**
 * Pseudo-counts as a method.
 *
 * @example
 * ```ts
 * import { useBackend } from '@tfgraft/backends'
 * import { gridWorld, ppo, pseudoCounts, trainAgent } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * const env = gridWorld('DoorKey-5x5-v0', { numEnvs: 8, seed: 1 })
 * const setup = pseudoCounts().apply(ppo(env, { numSteps: 16, warmupRollouts: 1 }))
 * const { agent, history } = await trainAgent(setup, { totalSteps: 128 })
 * console.log(history[0].bonuses.pseudoCounts)
 * agent.dispose()
 * ```
 */
export function pseudoCounts(given: PseudoCountsOptions = {}): BonusMethod {
  const { memory: memoryOptions, rest } = splitMemoryOptions(given)
  const { hidden, features, ...options } = rest
  new EpisodicMemory(1, memoryOptions) // rejects bad options now
  return defineBonus({
    name: 'pseudoCounts',
    paper: nguPaper,
    options,
    defaults: { coefficient: 0.1, normalize: 'rms', episodic: true },
    core(context: BonusContext, random) {
      const inverse = inverseModel(context, { hidden, features }, random)
      const memory = new EpisodicMemory(context.numEnvs, memoryOptions)
      return {
        variables: inverse.variables,
        raw: (experience, { nextObservations }) =>
          memoryRewards(memory, inverse, experience, nextObservations),
        loss: inverseLoss(inverse),
        save: () => ({ memory: memory.save() }),
        load: (state) => memory.load(state.memory as EpisodicMemoryState),
      }
    },
  })
}

export const nguPaper = {
  title: 'Never Give Up: Learning Directed Exploration Strategies',
  authors: [
    'Badia',
    'Sprechmann',
    'Vitvitskyi',
    'Guo',
    'Piot',
    'Kapturowski',
    'Tieleman',
    'Arjovsky',
    'Pritzel',
    'Bolt',
    'Blundell',
  ],
  year: 2020,
  url: 'https://arxiv.org/abs/2002.06038',
}
