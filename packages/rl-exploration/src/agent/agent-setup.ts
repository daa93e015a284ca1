/** What an agent is made of: the setup that exploration methods receive and return. */
import type { Bonus, BonusContext } from '../bonuses/bonus'
import type { Network } from '../networks/network'
import type { SavableRandom } from '../networks/random'
import type { RecurrentNetwork } from '../networks/recurrent'
import type { VectorEnv } from '../vector-env'

/** Every hyper-parameter of PPO. The defaults are those of the course that this package follows. */
export interface PpoOptions {
  /** Adam's learning rate. @default 2e-4 */
  learningRate?: number
  /** Whether the learning rate falls linearly to 0 over the training. @default true */
  annealLearningRate?: boolean
  /** Adam's epsilon. @default 1e-5 */
  epsilon?: number
  /** Steps of every environment between updates. @default 128 */
  numSteps?: number
  /** Minibatches per epoch. @default 8 */
  numMinibatches?: number
  /** Passes over each rollout. @default 8 */
  updateEpochs?: number
  /** Discount of extrinsic rewards. @default 0.999 */
  gamma?: number
  /** Lambda of generalised advantage estimation, of all streams. @default 0.95 */
  lambda?: number
  /** Clipping range of the policy ratio. @default 0.1 */
  clip?: number
  /** Whether value predictions are clipped too, to the same range; `'extrinsic'`: not those of bonuses. @default false */
  clipValueLoss?: boolean | 'extrinsic'
  /** Weight of the entropy bonus. @default 0.001 */
  entropyCoefficient?: number
  /** Weight of the value losses. @default 0.5 */
  valueCoefficient?: number
  /** Weight of the extrinsic advantages beside those of the bonuses. @default 1 */
  extrinsicCoefficient?: number
  /** Largest global gradient norm, of agent and bonuses together. @default 40000 */
  maxGradNorm?: number
  /** Whether advantages are normalised in each minibatch. @default true */
  normalizeAdvantages?: boolean
  /**
   * Recurrent policies learn from stretches of this many steps of one environment, which start from what was
   * remembered then; gradients do not reach further back. @default numSteps
   */
  sequenceLength?: number
  /** Epochs stop once the approximate KL divergence from the rollout's policy exceeds this. @default never */
  targetKl?: number
  /** Whether the agent sees observations normalised by running statistics and clipped to 5. @default true */
  normalizeObservations?: boolean
  /** Whether extrinsic rewards are divided by the standard deviation of their discounted sums. @default false */
  normalizeRewards?: boolean
  /** Random rollouts of `numSteps` by which the observation statistics start. @default 50 */
  warmupRollouts?: number
  /**
   * What a time limit means. `'final-observation'`: the value of the episode's last observation stands for the rest.
   * `'reward'`: as in the course, `gamma V(s_t)` of the observation before it is added to the last reward.
   * `'end'`: the same as a termination. @default 'final-observation'
   */
  timeLimit?: 'final-observation' | 'reward' | 'end'
}

/** What a network must be able to do. */
export interface NetworkSpec {
  /** Shape of one observation, and its number of values: what networks receive is `[batch, observationSize]`. */
  observationShape: readonly number[]
  observationSize: number
  /** Columns of the output: first `policySize` for the policy, then one value per stream. */
  policySize: number
  numStreams: number
  random: SavableRandom
}

/** A bonus that is made once the environment and the seed are known. */
export interface BonusEntry {
  readonly name: string
  create(context: BonusContext): Bonus
}

/** An agent before it is trained: what a `Method<AgentSetup>` receives and returns. */
export interface AgentSetup {
  env: VectorEnv
  /** Makes the network; `[policy | value of the rewards | value of each bonus]` in columns. */
  network: (spec: NetworkSpec) => Network | RecurrentNetwork
  options: Required<Omit<PpoOptions, 'targetKl' | 'sequenceLength'>> &
    Pick<PpoOptions, 'targetKl' | 'sequenceLength'>
  bonuses: readonly BonusEntry[]
}
