/**
 * Mean and variance over everything seen so far, batch by batch: parallel moments (Chan et al. 1979) with the
 * conventions of Gym's `RunningMeanStd`: mean 0, variance 1, count 1e-4 at the start, biased variances.
 */

/** State of a {@link RunningMeanStd}, as JSON-friendly arrays. */
export interface RunningMeanStdState {
  mean: number[]
  variance: number[]
  count: number
}

/**
 * Running mean and variance of `size` features, in double precision.
 *
 * @example
 * ```ts
 * import { RunningMeanStd } from '@tfgraft/rl-exploration'
 *
 * const statistics = new RunningMeanStd(2)
 * statistics.update([1, 10, 3, 30]) // two rows of two features
 * console.log(statistics.mean, statistics.variance) // about [2, 20] and [1, 100]
 * ```
 */
export class RunningMeanStd {
  readonly mean: Float64Array
  readonly variance: Float64Array
  count: number

  /**
   * @param size Number of features. @default 1
   * @param epsilon Count of the imaginary samples with mean 0 and variance 1. @default 1e-4
   */
  constructor(
    readonly size = 1,
    epsilon = 1e-4,
  ) {
    if (!Number.isInteger(size) || size < 1)
      throw new Error(`RunningMeanStd: \`size\` must be a positive integer. Received size=${size}.`)
    this.mean = new Float64Array(size)
    this.variance = new Float64Array(size).fill(1)
    this.count = epsilon
  }

  /** Adds the rows of `batch`, `[rows, size]` flat. Two passes: exact where one would cancel. */
  update(batch: ArrayLike<number>): void {
    const { size } = this
    const rows = batch.length / size
    if (!Number.isInteger(rows))
      throw new Error(
        `RunningMeanStd: a batch must hold whole rows of ${size}. Received length ${batch.length}.`,
      )
    if (rows === 0) return
    const mean = new Float64Array(size)
    const variance = new Float64Array(size)
    for (let i = 0, row = 0; row < rows; row++) for (let k = 0; k < size; k++) mean[k]! += batch[i++]!
    for (let k = 0; k < size; k++) mean[k]! /= rows
    for (let i = 0, row = 0; row < rows; row++)
      for (let k = 0; k < size; k++) variance[k]! += (batch[i++]! - mean[k]!) ** 2
    for (let k = 0; k < size; k++) variance[k]! /= rows
    this.updateFromMoments(mean, variance, rows)
  }

  /** Adds `count` samples of which only mean and biased variance are known. */
  updateFromMoments(mean: ArrayLike<number>, variance: ArrayLike<number>, count: number): void {
    if (mean.length !== this.size || variance.length !== this.size)
      throw new Error(
        `RunningMeanStd: moments must have ${this.size} features. Received ${mean.length} and ${variance.length}.`,
      )
    const total = this.count + count
    for (let k = 0; k < this.size; k++) {
      const delta = mean[k]! - this.mean[k]!
      const squares =
        this.variance[k]! * this.count + variance[k]! * count + (delta * delta * this.count * count) / total
      this.mean[k]! += (delta * count) / total
      this.variance[k] = squares / total
    }
    this.count = total
  }

  /** Writes `clip((x - mean) / sqrt(variance), -limit, limit)` of each row of `x` to `out`. */
  normalize(x: ArrayLike<number>, out: Float32Array, limit = Number.POSITIVE_INFINITY): Float32Array {
    const { size, mean } = this
    const scale = this.variance.map((v) => 1 / Math.sqrt(v))
    for (let i = 0; i < x.length; ) {
      for (let k = 0; k < size; k++, i++) {
        // A feature that never varied has scale Infinity: at its mean it is 0, elsewhere the limit.
        const centred = x[i]! - mean[k]!
        const value = centred === 0 ? 0 : centred * scale[k]!
        out[i] = Math.min(limit, Math.max(-limit, value))
      }
    }
    return out
  }

  save(): RunningMeanStdState {
    return { mean: [...this.mean], variance: [...this.variance], count: this.count }
  }

  load({ mean, variance, count }: RunningMeanStdState): void {
    if (mean.length !== this.size)
      throw new Error(`RunningMeanStd: the state must have ${this.size} features. Received ${mean.length}.`)
    this.mean.set(mean)
    this.variance.set(variance)
    this.count = count
  }
}
