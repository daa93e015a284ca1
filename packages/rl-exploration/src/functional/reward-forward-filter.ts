/**
 * Discounted sums of rewards, forwards in time: `R_t = gamma R_{t-1} + r_t`. The standard deviation of these sums
 * is what RND divides its rewards by (Burda et al. 2018, section 2.4).
 *
 * CleanRL and OpenAI's code run it over environments instead of time (a transposed buffer). That order is here
 * under its name, `'environment'`, for reproducing their curves only.
 */
import { RunningMeanStd, type RunningMeanStdState } from './running-mean-std'

/** Which axis of a `[T, N]` rollout is summed along. */
export type FilterAxis = 'time' | 'environment'

/**
 * The filter, with one running sum per stream.
 *
 * @example
 * ```ts
 * import { RewardForwardFilter } from '@tfgraft/rl-exploration'
 *
 * const filter = new RewardForwardFilter(0.5)
 * console.log(filter.update([1]), filter.update([1])) // [1], [1.5]
 * ```
 */
export class RewardForwardFilter {
  private sums: Float64Array | undefined

  /** @param gamma Discount, 0 to 1. */
  constructor(readonly gamma: number) {
    if (!(gamma >= 0 && gamma <= 1))
      throw new Error(`RewardForwardFilter: \`gamma\` must be within 0 and 1. Received gamma=${gamma}.`)
  }

  /** Adds one reward per stream and returns the sums so far (a copy). The first call fixes the number of streams. */
  update(rewards: ArrayLike<number>): Float64Array {
    this.sums ??= new Float64Array(rewards.length)
    if (rewards.length !== this.sums.length)
      throw new Error(
        `RewardForwardFilter: needs one reward per stream. Received ${rewards.length} for ${this.sums.length}.`,
      )
    for (let i = 0; i < rewards.length; i++) this.sums[i] = this.sums[i]! * this.gamma + rewards[i]!
    return this.sums.slice()
  }

  save(): number[] | null {
    return this.sums ? [...this.sums] : null
  }

  load(state: readonly number[] | null): void {
    this.sums = state ? Float64Array.from(state) : undefined
  }
}

/** State of a {@link RewardNormalizer}. */
export interface RewardNormalizerState {
  filter: number[] | null
  statistics: RunningMeanStdState
}

/**
 * Divides rewards by the running standard deviation of their discounted sums: no mean is subtracted.
 *
 * @example
 * ```ts
 * import { RewardNormalizer } from '@tfgraft/rl-exploration'
 *
 * const normalizer = new RewardNormalizer({ gamma: 0.99 })
 * const scaled = normalizer.normalize(Float32Array.of(1, 5, 2, 7), 2) // two steps, two environments
 * console.log(scaled.length) // 4
 * ```
 */
export class RewardNormalizer {
  private readonly filter: RewardForwardFilter
  readonly statistics = new RunningMeanStd(1)
  readonly axis: FilterAxis

  constructor({ gamma, axis = 'time' }: { gamma: number; axis?: FilterAxis }) {
    this.filter = new RewardForwardFilter(gamma)
    this.axis = axis
  }

  /** Updates the statistics by a rollout `[T, numEnvs]` and returns it scaled. */
  normalize<A extends Float32Array | Float64Array>(rewards: A, numEnvs: number): A {
    const numSteps = rewards.length / numEnvs
    if (!Number.isInteger(numSteps))
      throw new Error(
        `RewardNormalizer: needs whole steps. Received ${rewards.length} rewards, numEnvs=${numEnvs}.`,
      )
    const sums = new RunningMeanStd(1, 0)
    const calls = this.axis === 'time' ? numSteps : numEnvs
    for (let call = 0; call < calls; call++) {
      const slice =
        this.axis === 'time'
          ? rewards.subarray(call * numEnvs, (call + 1) * numEnvs)
          : Float64Array.from({ length: numSteps }, (_, t) => rewards[t * numEnvs + call]!)
      sums.update(this.filter.update(slice))
    }
    // Both references count calls, not samples, so that the statistics follow the policy quickly.
    if (calls > 0) this.statistics.updateFromMoments(sums.mean, sums.variance, calls)
    const scale = 1 / Math.sqrt(this.statistics.variance[0]!)
    return rewards.map((r) => r * scale) as A
  }

  save(): RewardNormalizerState {
    return { filter: this.filter.save(), statistics: this.statistics.save() }
  }

  load({ filter, statistics }: RewardNormalizerState): void {
    this.filter.load(filter)
    this.statistics.load(statistics)
  }
}
