/** Storage of a rollout: typed arrays, time-major, made once and filled again for every update. */
import type { Experience } from '../bonuses/bonus'
import type { PolicyHead } from './policy-head'

export interface Rollout extends Experience {
  /** What the network saw: observations after normalisation. */
  readonly inputs: Float32Array
  readonly logProbs: Float32Array
  /** `[stream][row]`: predictions when acting. */
  readonly values: readonly Float32Array[]
  readonly rewards: Float32Array
  readonly terminated: Uint8Array
  readonly truncated: Uint8Array
  /** Whether the environment's episode had ended before the row: `ended` one step later. */
  readonly dones: Uint8Array
  /** `[rows, memorySize]`: what a recurrent policy remembered before each row. Empty for others. */
  readonly memories: Float32Array
  readonly memorySize: number
  /** By row that ends an episode: what was remembered after it. */
  readonly memoriesAtEnd: Map<number, Float32Array>
}

/** Sizes of a rollout. */
export interface RolloutSizes {
  numSteps: number
  numEnvs: number
  observationSize: number
  numStreams: number
  /** @default 0 */
  memorySize?: number
}

export function createRollout(
  { numSteps, numEnvs, observationSize, numStreams, memorySize = 0 }: RolloutSizes,
  head: PolicyHead,
): Rollout {
  const rows = numSteps * numEnvs
  return {
    numSteps,
    numEnvs,
    memorySize,
    observations: new Float32Array(rows * observationSize),
    nextObservations: new Float32Array(rows * observationSize),
    inputs: new Float32Array(rows * observationSize),
    actions: head.newActions(rows),
    logProbs: new Float32Array(rows),
    values: Array.from({ length: numStreams }, () => new Float32Array(rows)),
    rewards: new Float32Array(rows),
    terminated: new Uint8Array(rows),
    truncated: new Uint8Array(rows),
    ended: new Uint8Array(rows),
    dones: new Uint8Array(rows),
    memories: new Float32Array(rows * memorySize),
    memoriesAtEnd: new Map(),
  }
}
