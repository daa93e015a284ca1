/** One branch of a SplitBatchNormalization: its weights, and how a batch moves its running statistics. */
import * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'
import { movedStatistics, moveStatistics } from './move-statistics'
import type { PartStatistics } from './normalize-split'

export interface Branch {
  gamma: tfl.LayerVariable | null
  beta: tfl.LayerVariable | null
  mean: tfl.LayerVariable
  variance: tfl.LayerVariable
  /** Batches averaged so far; only with `momentum: null`. */
  batches: tfl.LayerVariable | null
}

/**
 * Moves a branch's running statistics towards a batch's: by the part that `momentum` leaves to it, or, where batches are
 * counted, to the average of all. PyTorch's variances are unbiased, tfjs's are not.
 */
export function track(
  branch: Branch,
  { count, ...batch }: PartStatistics,
  momentum: number | null,
  unbiasedVariance: boolean,
): void {
  tf.tidy(() => {
    const correction = unbiasedVariance ? count / Math.max(count - 1, 1) : 1
    const running = { runningMean: branch.mean.read(), runningVariance: branch.variance.read() }
    branch.batches?.write(tf.add(branch.batches.read(), 1))
    const statistics = { ...running, ...batch }
    const [mean, variance] = branch.batches
      ? movedStatistics(statistics, tf.reciprocal(branch.batches.read()), correction)
      : moveStatistics(statistics, { rate: 1 - momentum!, correction })
    branch.mean.write(mean)
    branch.variance.write(variance)
  })
}

/** A weight's name within its layer: 'gamma' of 'bn1/gamma'. */
export function localName(weight: tfl.LayerVariable): string {
  return weight.originalName.split('/').at(-1)!
}
