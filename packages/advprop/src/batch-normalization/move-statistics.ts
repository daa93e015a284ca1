/**
 * Running statistics moved towards those of a batch, as one op:
 *
 *     mean_r += rate (mean - mean_r);      variance_r += rate (correction variance - variance_r)
 *
 * A step through a network of many normalisations does this for each of them and each part of the batch; composed from tf ops,
 * that is seven small ops every time.
 */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '@tfgraft/backends'
import { kernels } from '../generated/kernels'

export interface Statistics {
  runningMean: tf.Tensor // [channels]
  runningVariance: tf.Tensor
  mean: tf.Tensor
  variance: tf.Tensor
}

/** The same for a rate that is a number or, where batches are counted, a tensor. */
export function movedStatistics(
  { runningMean, runningVariance, mean, variance }: Statistics,
  rate: number | tf.Tensor,
  correction: number,
): [mean: tf.Tensor, variance: tf.Tensor] {
  const moved = (running: tf.Tensor, value: tf.Tensor) =>
    tf.add(running, tf.mul(rate, tf.sub(value, running)))
  return [moved(runningMean, mean), moved(runningVariance, tf.mul(variance, correction))]
}

export const moveStatistics = defineOp<
  { [name in keyof Statistics]: tf.Tensor },
  { rate: number; correction: number },
  [mean: tf.Tensor, variance: tf.Tensor]
>({
  name: 'advprop/MoveStatistics',
  reference: (statistics, { rate, correction }) => movedStatistics(statistics, rate, correction),
  kernels: {
    wasm: ({
      heap,
      inputs: { runningMean, runningVariance, mean, variance },
      attrs: { rate, correction },
    }) => {
      const { moveStatistic } = heap.kernels(kernels)
      const move = (running: tf.Tensor, value: tf.Tensor, scale: number) => {
        const out = heap.output(running.shape)
        moveStatistic(heap.pointer(running), heap.pointer(value), out.pointer, running.size, rate, scale)
        return out
      }
      return [move(runningMean, mean, 1), move(runningVariance, variance, correction)]
    },
  },
})
