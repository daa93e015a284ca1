/** Identity: another name for the same data, as on every other backend. Stock copies, once for each saved tensor. */
import type * as tf from '@tensorflow/tfjs-core'

export const identityKernel: tf.KernelFunc = ({ inputs, backend }) => {
  const { x } = inputs as { x: tf.TensorInfo }
  ;(backend as { incRef(dataId: object): void }).incRef(x.dataId)
  return { dataId: x.dataId, shape: x.shape, dtype: x.dtype }
}
