/** Kernels that tfjs-webgl gets wrong for some inputs. */
import * as tf from '@tensorflow/tfjs-core'
import { composedKernel } from '../training-kernels/composed-kernel'

type Around = (present: tf.KernelFunc) => tf.KernelFunc

/** The shader writes four elements at once, and clips none of them if one is NaN. */
export const packedClipAround: Around = (present) => {
  const byParts = composedKernel(
    (
      { x }: { x: tf.Tensor },
      { clipValueMin, clipValueMax }: { clipValueMin: number; clipValueMax: number },
    ) => tf.where(tf.isNaN(x), x, tf.minimum(tf.maximum(x, clipValueMin), clipValueMax)),
  )
  return (params) => (params.inputs.x!.dtype === 'float32' ? byParts(params) : present(params))
}

/** The shader crops box number b out of image number b, so the images are put in the order of the boxes first. */
export const cropAndResizeAround: Around = (present) => (params) =>
  tf.tidy(() => {
    const { image, boxInd } = params.inputs as { image: tf.Tensor; boxInd: tf.Tensor1D }
    const own = tf.range(0, boxInd.shape[0], 1, 'int32')
    const inputs = { ...params.inputs, image: tf.gather(image, boxInd), boxInd: own }
    return present({ ...params, inputs }) as tf.Tensor
  }) as tf.TensorInfo

const shortSum = 2 ** 15

/**
 * Sums are taken in windows whose length divides that of the row: a row of prime length is one serial sum (relative error 2e-3 at a
 * million). Ours adds zeros up to a multiple of a good window.
 */
export const primeSumAround: Around = (present) => {
  const padded = composedKernel(
    ({ x }: { x: tf.Tensor }, { axis, keepDims }: { axis: number[]; keepDims?: boolean }) => {
      const axes = tf.util.parseAxisParam(axis, x.shape)
      const kept = [...x.shape.keys()].filter((i) => !axes.includes(i))
      const length = axes.reduce((product, i) => product * x.shape[i]!, 1)
      const window = 2 ** Math.ceil(Math.log2(length) / 2)
      const rows = tf.reshape(tf.transpose(x, [...kept, ...axes]), [-1, length]) as tf.Tensor2D
      const whole = Math.ceil(length / window) * window
      const windows = tf.reshape(
        tf.pad(rows, [
          [0, 0],
          [0, whole - length],
        ]),
        [-1, whole / window, window],
      )
      const shape = x.shape.map((size, i) => (axes.includes(i) ? 1 : size))
      return tf.reshape(tf.sum(tf.sum(windows, 2), 1), keepDims ? shape : kept.map((i) => x.shape[i]!))
    },
  )
  return (params) => {
    const { shape } = params.inputs.x!
    const axes = tf.util.parseAxisParam(params.attrs!.axis as number[], shape)
    const length = axes.reduce((product, axis) => product * shape[axis]!, 1)
    const window = tf.backend_util.computeOptimalWindowSize(length)
    return window > shortSum ? padded(params) : present(params)
  }
}
