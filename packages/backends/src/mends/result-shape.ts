/**
 * Kernels of tfjs-webgpu and tfjs-webgl that compute the right numbers in the wrong shape: `prod` drops the kept axes when a
 * small tensor is reduced on the CPU, and the parts of a reshaped complex tensor keep the shape from before.
 */
import * as tf from '@tensorflow/tfjs-core'

const inShape =
  (shapeOf: (params: Parameters<tf.KernelFunc>[0]) => number[]) =>
  (present: tf.KernelFunc): tf.KernelFunc =>
  (params) => {
    const output = present(params) as tf.TensorInfo
    const shape = shapeOf(params)
    if (`${output.shape}` === `${shape}`) return output
    return tf.tidy(() =>
      tf.reshape(tf.engine().makeTensorFromTensorInfo(output), shape),
    ) as unknown as tf.TensorInfo
  }

export const prodAround = inShape(({ inputs, attrs }) => {
  const { shape } = inputs.x!
  const { axis, keepDims } = attrs as { axis: number | number[]; keepDims: boolean }
  const axes = tf.util.parseAxisParam(axis, shape)
  return shape.flatMap((size, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [size]))
})

export const complexPartAround = inShape(({ inputs }) => inputs.input!.shape)
