/**
 * Generalised advantage estimation (Schulman et al. 2016, arXiv 1506.02438, equation 16), over time-major rollouts.
 *
 *   delta_t = r_t + gamma V_{t+1} (1 - done_{t+1}) - V_t
 *   A_t     = delta_t + gamma lambda (1 - done_{t+1}) A_{t+1}
 *
 * Differs from the widespread code: a time-out is not a termination. Where an episode was cut, `V_{t+1}` is the
 * value of its own last observation, and the sum never runs into the next episode.
 */

/** A flat array of numbers: `[steps * environments]`, time-major. */
export type Series = Float32Array | Float64Array | readonly number[]

/** What {@link gae} needs. `T` steps of `N` environments. */
export interface GaeInputs {
  /** `[T, N]`: reward of step t. */
  rewards: Series
  /** `[T, N]`: value of observation t. */
  values: Series
  /** `[N]`: value of the observation after the last step. */
  nextValues: Series
  /** `[T, N]`, 0 or 1: the episode had ended before observation t (so row 0 is never read). */
  dones: ArrayLike<number>
  /** `[N]`, 0 or 1: the episode ended with the last step. */
  nextDones: ArrayLike<number>
  /** Discount, 0 to 1. */
  gamma: number
  /** Mixes one-step (0) and Monte Carlo (1) estimates. */
  lambda: number
  /**
   * Whether episodes end at all. Intrinsic rewards are usually estimated without ends: exploring is worth it
   * beyond a death (Burda et al. 2018, section 2.3). @default true
   */
  episodic?: boolean
  /**
   * `[T, N]`: value of the last observation of an episode that a time limit cut at step t, and 0 elsewhere.
   * Bootstraps the cut; ignored when not `episodic`. @default none
   */
  finalValues?: Series
}

/** Advantages, and the returns that value functions are fitted to (`advantages + values`), both `[T, N]`. */
export interface GaeOutputs<A = Float32Array | Float64Array> {
  advantages: A
  returns: A
}

/**
 * Advantages and returns of a rollout.
 *
 * Computes in double precision; the outputs are `Float32Array` when `rewards` are, else `Float64Array`.
 *
 * @throws When lengths disagree.
 * @example
 * ```ts
 * import { gae } from '@tfgraft/rl-exploration'
 *
 * // Three steps of one environment; the only reward comes at the end of its episode.
 * const { advantages } = gae({
 *   rewards: [0, 0, 1], values: [0, 0, 0], nextValues: [0],
 *   dones: [0, 0, 0], nextDones: [1], gamma: 0.9, lambda: 1,
 * })
 * console.log(advantages) // 0.81, 0.9, 1
 * ```
 */
export function gae(inputs: GaeInputs & { rewards: Float32Array }): GaeOutputs<Float32Array>
export function gae(inputs: GaeInputs): GaeOutputs
export function gae(inputs: GaeInputs): GaeOutputs {
  const {
    rewards,
    values,
    nextValues,
    dones,
    nextDones,
    gamma,
    lambda,
    episodic = true,
    finalValues,
  } = inputs
  const [size, numEnvs] = [rewards.length, nextValues.length]
  if (numEnvs === 0 || size % numEnvs !== 0)
    throw new Error(
      `gae: \`rewards\` must hold whole steps. Received rewards.length=${size}, nextValues.length=${numEnvs}.`,
    )
  for (const [name, length, expected] of [
    ['values', values.length, size],
    ['dones', dones.length, size],
    ['nextDones', nextDones.length, numEnvs],
    ['finalValues', finalValues?.length ?? size, size],
  ] as const)
    if (length !== expected)
      throw new Error(`gae: \`${name}.length\` must be ${expected}. Received ${name}.length=${length}.`)

  const ArrayType = rewards instanceof Float32Array ? Float32Array : Float64Array
  const advantages = new ArrayType(size)
  const returns = new ArrayType(size)
  for (let env = 0; env < numEnvs; env++) {
    let [advantage, valueAfter, doneAfter] = [0, nextValues[env]!, nextDones[env]!]
    for (let i = size - numEnvs + env; i >= 0; i -= numEnvs) {
      const alive = episodic ? 1 - doneAfter : 1
      const cut = episodic && finalValues ? finalValues[i]! : 0
      const delta = rewards[i]! + gamma * (valueAfter * alive + cut) - values[i]!
      advantage = delta + gamma * lambda * alive * advantage
      advantages[i] = advantage
      returns[i] = advantage + values[i]!
      valueAfter = values[i]!
      doneAfter = dones[i]!
    }
  }
  return { advantages, returns }
}
