/**
 * The contract of an environment: many copies of it, stepped together. `gridWorld()`, `gymnasium()` and your own
 * environment all are one. The conventions are those of Gymnasium 1.x vector environments.
 */

/** Numbers of one kind in one flat array. */
export type Numbers = Uint8Array | Int32Array | Float32Array | Float64Array

/** What an observation or an action is made of. */
export type Space =
  | { type: 'box'; shape: readonly number[]; dtype: 'uint8' | 'int32' | 'float32'; low: number; high: number }
  | { type: 'discrete'; n: number; start?: number }
  | { type: 'multi-discrete'; nvec: readonly number[] }
  | { type: 'dict'; spaces: Readonly<Record<string, Space>> }

/** Observations of all environments, one after the other; one array per entry where the space is a dict. */
export type Observations = Numbers | { readonly [name: string]: Observations }

/** Outcome of one step of every environment. Arrays may be reused by the environment: copy what you keep. */
export interface EnvStep {
  observations: Observations
  /** `[numEnvs]` */
  rewards: Float32Array
  /** `[numEnvs]`, 0 or 1: the episode came to its end. */
  terminated: Uint8Array
  /** `[numEnvs]`, 0 or 1: a time limit cut the episode. Both may be 1. */
  truncated: Uint8Array
  /** Last observations of the episodes that ended with this step; other rows mean nothing. */
  finalObservations?: Observations
  /** What else the environment says, one entry per environment. */
  infos?: unknown[]
}

/** When a finished environment starts its next episode, as in Gymnasium 1.x. */
export type Autoreset = 'same-step' | 'next-step' | 'off'

/**
 * A vectorised environment. Environment i is seeded with `seed + i`. Methods may return promises where the
 * environment lives elsewhere.
 *
 * @example
 * ```ts
 * import type { VectorEnv } from '@tfgraft/rl-exploration'
 *
 * // Walk right along a corridor of ten places; a reward at its end.
 * function corridor(numEnvs: number): VectorEnv {
 *   const place = new Float32Array(numEnvs)
 *   return {
 *     numEnvs,
 *     observationSpace: { type: 'box', shape: [1], dtype: 'float32', low: 0, high: 9 },
 *     actionSpace: { type: 'discrete', n: 2 },
 *     reset: () => place.fill(0).slice(),
 *     step(actions) {
 *       const rewards = new Float32Array(numEnvs)
 *       const terminated = new Uint8Array(numEnvs)
 *       const truncated = new Uint8Array(numEnvs)
 *       for (let i = 0; i < numEnvs; i++) {
 *         place[i] = Math.max(0, place[i]! + (actions[i] === 1 ? 1 : -1))
 *         if (place[i] === 9) [rewards[i], terminated[i]] = [1, 1]
 *       }
 *       const finalObservations = place.slice()
 *       for (let i = 0; i < numEnvs; i++) if (terminated[i]) place[i] = 0
 *       return { observations: place.slice(), rewards, terminated, truncated, finalObservations }
 *     },
 *     close() {},
 *   }
 * }
 * const env = corridor(4)
 * env.reset()
 * console.log(env.step(Int32Array.of(1, 1, 0, 1)))
 * ```
 */
export interface VectorEnv {
  readonly numEnvs: number
  readonly observationSpace: Space
  readonly actionSpace: Space
  /** @default 'same-step' */
  readonly autoreset?: Autoreset
  reset(seed?: number): Observations | Promise<Observations>
  step(actions: Int32Array | Float32Array): EnvStep | Promise<EnvStep>
  close(): void | Promise<void>
  /** State of every environment and its randomness, for checkpoints. */
  save?(): Uint8Array | Promise<Uint8Array>
  load?(state: Uint8Array): void | Promise<void>
}

/** Number of values in one observation or action of a space. */
export function spaceSize(space: Space): number {
  switch (space.type) {
    case 'box':
      return space.shape.reduce((product, n) => product * n, 1)
    case 'discrete':
      return 1
    case 'multi-discrete':
      return space.nvec.length
    case 'dict':
      return Object.values(space.spaces).reduce((sum, s) => sum + spaceSize(s), 0)
  }
}
