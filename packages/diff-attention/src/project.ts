/** Linear projections of sequences. */
import * as tf from '@tensorflow/tfjs-core'
import type { Weight } from './layer-inputs'

export interface LinearWeights {
  /** `[inDim, outDim]` */
  kernel: Weight
  /** `[outDim]` */
  bias?: Weight
}

/** y = x W + b over the last axis. One plain matrix product: tfjs loops over batches of a batched one. */
export function projectWith(x: tf.Tensor, kernel: tf.Tensor, bias?: tf.Tensor): tf.Tensor {
  const [inDim, outDim] = kernel.shape as [number, number]
  const rows = tf.matMul(tf.reshape(x, [-1, inDim]), kernel as tf.Tensor2D) // [batch * length, outDim]
  const y = tf.reshape(rows, [...x.shape.slice(0, -1), outDim])
  return bias ? tf.add(y, bias) : y
}

export const project = (x: tf.Tensor, { kernel, bias }: LinearWeights): tf.Tensor =>
  projectWith(x, kernel.read(), bias?.read())
