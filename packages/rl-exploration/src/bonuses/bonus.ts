/**
 * What an intrinsic reward is. Every bonus is a plain object over rollouts of experience, so that it can be used
 * without our PPO; `Method<AgentSetup>`s hand one to an agent.
 */
import type * as tf from '@tensorflow/tfjs-core'

/** What a bonus is told about the world that it is for. */
export interface BonusContext {
  /** Values in one observation. */
  observationSize: number
  /** Number of discrete actions; for continuous actions, their dimension. */
  numActions: number
  /** Whether actions are numbers of a discrete set. */
  discrete: boolean
  numEnvs: number
  seed: number
}

/** `numSteps` transitions of `numEnvs` environments, flat and time-major: row `t * numEnvs + env`. */
export interface Experience {
  numSteps: number
  numEnvs: number
  /** Raw observations before and after each step: after an end, the last one of the episode, not the next first. */
  observations: Float32Array
  nextObservations: Float32Array
  /** Discrete actions, or `[rows, dimension]` continuous ones. */
  actions: Int32Array | Float32Array
  /** 1 where the episode ended with the step, for whatever reason. */
  ended: Uint8Array
}

/** A minibatch of experience as tensors, gathered from one upload. */
export interface ExperienceBatch {
  /** `[batch, observationSize]`, raw. */
  observations: tf.Tensor2D
  nextObservations: tf.Tensor2D
  /** `[batch]` int32, or `[batch, dimension]`. */
  actions: tf.Tensor
  /** `[batch]`, 1 for the samples that the bonus learns from. */
  mask: tf.Tensor1D
}

/** State of a bonus: numbers, strings and typed arrays, ready for a structured clone or `v8.serialize`. */
export interface BonusState {
  name: string
  [key: string]: unknown
}

/** An intrinsic reward. */
export interface Bonus {
  readonly name: string
  /** Weight of this stream's advantages beside the extrinsic ones. Decays as `beta (1 - kappa)^steps`. */
  coefficient(step: number): number
  /** Discount of this stream's returns. */
  readonly gamma: number
  /** Whether this stream's returns end with episodes. */
  readonly episodic: boolean
  /** Weight of {@link loss} beside the losses of PPO. */
  readonly lossCoefficient: number
  /** Share of the samples that {@link loss} learns from. */
  readonly updateProportion: number
  /** Weights that are trained. */
  readonly variables: readonly tf.Variable[]
  /** Updates the statistics by which observations are normalised, before training. `[rows, observationSize]` flat. */
  observe(observations: Float32Array): void
  /** Rewards of a rollout, in the order of its rows. Rollouts must come in the order of time. */
  reward(experience: Experience): Promise<Float32Array>
  /** What the bonus minimises, for training it together with an agent; absent when it learns nothing. */
  loss?(batch: ExperienceBatch): tf.Scalar
  /** Trains the bonus alone on a rollout: one pass in minibatches. Returns the mean loss. */
  update(experience: Experience): Promise<number>
  save(): Promise<BonusState>
  load(state: BonusState): void
  dispose(): void
}
