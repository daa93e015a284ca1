import * as tf from '@tensorflow/tfjs-core'

/** One kernel at one shape, held against tfjs's cpu backend. */
export interface KernelCase {
  title: string
  run: () => tf.Tensor
  rtol?: number
  atol?: number
}

/** Reproducible normal numbers. */
export const normal = (shape: number[], seed = 1, scale = 1) =>
  tf.randomNormal(shape, 0, scale, 'float32', seed)
