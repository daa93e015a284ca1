import * as tf from '@tensorflow/tfjs-core'

/** Undoes broadcasting in a gradient: sums over the axes along which `shape` was repeated. */
export function sumToShape(x: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, x.shape)
  return axes.length
    ? tf.reshape(tf.sum(x, axes), shape)
    : x.shape.length === shape.length
      ? x
      : tf.reshape(x, shape)
}
