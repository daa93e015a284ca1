/**
 * UnsortedSegmentSum as a scatter into one extra row that collects the ids outside `[0, numSegments)`: TensorFlow drops
 * negative ids, and a scatter writes them in front of its buffer.
 */
import * as tf from '@tensorflow/tfjs-core'
import { composedKernel } from './composed-kernel'

type Inputs = { x: tf.Tensor; segmentIds: tf.Tensor }

export function unsortedSegmentSum(
  { x, segmentIds }: Inputs,
  { numSegments }: { numSegments: number },
): tf.Tensor {
  const rest = x.shape.slice(segmentIds.rank)
  const width = rest.reduce((a, b) => a * b, 1)
  if (x.size === 0 || numSegments === 0) return tf.zeros([numSegments, ...rest], x.dtype)
  const ids = tf.reshape(segmentIds, [-1])
  const inside = tf.logicalAnd(tf.greaterEqual(ids, 0), tf.less(ids, numSegments))
  const rows = tf.where(inside, ids, tf.fill(ids.shape, numSegments, 'int32'))
  const sums = tf.scatterND(tf.reshape(rows, [-1, 1]), tf.reshape(x, [ids.size, width]), [
    numSegments + 1,
    width,
  ])
  return tf.reshape(tf.slice(sums, [0, 0], [numSegments, width]), [numSegments, ...rest])
}

export const unsortedSegmentSumKernel = composedKernel(unsortedSegmentSum)
