/** One branch of a SplitBatchNormalization: its weights, and how a batch moves its running statistics. */
import * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'
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
  { mean, variance, count }: PartStatistics,
  momentum: number | null,
  unbiasedVariance: boolean,
): void {
  tf.tidy(() => {
    branch.batches?.write(tf.add(branch.batches.read(), 1))
    const rate = branch.batches ? tf.reciprocal(branch.batches.read()) : tf.scalar(1 - momentum!)
    const correction = unbiasedVariance ? count / Math.max(count - 1, 1) : 1
    const move = (running: tfl.LayerVariable, value: tf.Tensor) =>
      running.write(tf.add(running.read(), tf.mul(rate, tf.sub(value, running.read()))))
    move(branch.mean, mean)
    move(branch.variance, tf.mul(variance, correction))
  })
}

/** A weight's name within its layer: 'gamma' of 'bn1/gamma'. */
export function localName(weight: tfl.LayerVariable): string {
  return weight.originalName.split('/').at(-1)!
}
