/** The gradient of gather. tfjs's needs the chained ops that only its umbrella package registers as soon as `batchDims` is 1. */
import * as tf from '@tensorflow/tfjs-core'
import { addAt } from './moving-gradients'

const sizeOf = (shape: number[]) => shape.reduce((a, b) => a * b, 1)

export const gatherGradient: tf.GradConfig = {
  kernelName: 'GatherV2',
  inputsToSave: ['x', 'indices'],
  gradFunc: (gradient, saved, attrs) => {
    const [x, indices] = saved as [tf.Tensor, tf.Tensor]
    const dy = gradient as tf.Tensor
    const { batchDims } = attrs as { batchDims: number }
    const [axis] = tf.util.parseAxisParam((attrs as { axis: number }).axis, x.shape) as [number]
    return {
      indices: () => tf.zeros(indices.shape),
      x: () => {
        if (batchDims > 0) {
          const positions = tf.reshape(tf.range(0, x.size, 1, 'int32'), x.shape)
          return addAt(tf.gather(positions, indices, axis, batchDims), dy, x.shape)
        }
        const [outer, inner] = [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis + 1))]
        const rows = tf.reshape(dy, [outer, indices.size, inner])
        const ids = tf.reshape(indices, [-1]) as tf.Tensor1D
        const count = x.shape[axis]!
        const sums =
          outer === 1
            ? tf.unsortedSegmentSum(tf.reshape(rows, [indices.size, inner]), ids, count)
            : tf.transpose(tf.unsortedSegmentSum(tf.transpose(rows, [1, 0, 2]), ids, count), [1, 0, 2])
        return tf.reshape(sums, x.shape)
      },
    }
  },
}
