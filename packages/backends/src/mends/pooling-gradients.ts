/**
 * Average pooling divides by the number of elements that a window holds inside the image; tfjs's gradient divides by the
 * full window everywhere. Scaling dy by window / inside first makes its kernel right.
 */
import * as tf from '@tensorflow/tfjs-core'

/** Per output position, the number of window elements inside an axis of the image. */
const insideCounts = (outputs: number, stride: number, window: number, padBefore: number, size: number) =>
  Array.from({ length: outputs }, (_, i) => {
    const start = i * stride - padBefore
    return Math.min(start + window, size) - Math.max(start, 0)
  })

interface Axis {
  outputs: number
  stride: number
  window: number
  before: number
  size: number
}

/** `dy` times the window's volume over its volume inside the image, axis by axis. */
function scaled(dy: tf.Tensor, axes: Axis[]): tf.Tensor {
  return axes.reduce((scaledSoFar, { outputs, stride, window, before, size }, i) => {
    const counts = insideCounts(outputs, stride, window, before, size)
    if (counts.every((count) => count === window)) return scaledSoFar
    const shape = [1, ...axes.map((_, j) => (j === i ? outputs : 1)), 1]
    return tf.mul(
      scaledSoFar,
      tf.tensor(
        counts.map((count) => window / Math.max(1, count)),
        shape,
      ),
    )
  }, dy)
}

interface PoolAttributes {
  filterSize: number | [number, number]
  strides: number | [number, number]
  pad: 'valid' | 'same' | number
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

export const avgPoolGradient: tf.GradConfig = {
  kernelName: 'AvgPool',
  inputsToSave: ['x'],
  gradFunc: (dy, saved, attrs) => {
    const [x] = saved as [tf.Tensor4D]
    const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as PoolAttributes
    return {
      x: () => {
        const info = tf.backend_util.computePool2DInfo(x.shape, filterSize, strides, 1, pad, dimRoundingMode)
        const gradient = scaled(dy as tf.Tensor, [
          {
            outputs: info.outHeight,
            stride: info.strideHeight,
            window: info.filterHeight,
            before: info.padInfo.top,
            size: info.inHeight,
          },
          {
            outputs: info.outWidth,
            stride: info.strideWidth,
            window: info.filterWidth,
            before: info.padInfo.left,
            size: info.inWidth,
          },
        ])
        return tf.engine().runKernel('AvgPoolGrad', { dy: gradient, input: x }, attrs) as tf.Tensor
      },
    }
  },
}

interface Pool3DAttributes extends Omit<PoolAttributes, 'filterSize' | 'strides'> {
  filterSize: number | [number, number, number]
  strides: number | [number, number, number]
}

export const avgPool3dGradient: tf.GradConfig = {
  kernelName: 'AvgPool3D',
  inputsToSave: ['x'],
  gradFunc: (dy, saved, attrs) => {
    const [x] = saved as [tf.Tensor5D]
    const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as Pool3DAttributes
    return {
      x: () => {
        const info = tf.backend_util.computePool3DInfo(x.shape, filterSize, strides, 1, pad, dimRoundingMode)
        const gradient = scaled(dy as tf.Tensor, [
          {
            outputs: info.outDepth,
            stride: info.strideDepth,
            window: info.filterDepth,
            before: info.padInfo.front,
            size: info.inDepth,
          },
          {
            outputs: info.outHeight,
            stride: info.strideHeight,
            window: info.filterHeight,
            before: info.padInfo.top,
            size: info.inHeight,
          },
          {
            outputs: info.outWidth,
            stride: info.strideWidth,
            window: info.filterWidth,
            before: info.padInfo.left,
            size: info.inWidth,
          },
        ])
        return tf.engine().runKernel('AvgPool3DGrad', { dy: gradient, input: x }, attrs) as tf.Tensor
      },
    }
  },
}
