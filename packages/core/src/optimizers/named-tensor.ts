import type * as tf from '@tensorflow/tfjs-core'

/** A tensor with the name of its variable, which tfjs uses in optimizers but does not export. */
export interface NamedTensor {
  name: string
  tensor: tf.Tensor
}
