/**
 * DepthwiseConv2dNativeBackpropFilter tap by tap: `dw[k, l, c, m] = sum_{n, i, j} x[n, i s + k d, j s + l d, c] dy[n, i, j, c M + m]`.
 */
import * as tf from '@tensorflow/tfjs-core'
import { composedKernel } from './composed-kernel'
import { forFilterGradient } from './correlation-padding'

type Inputs = { x: tf.Tensor4D; dy: tf.Tensor4D }
type Attributes = {
  strides: [number, number] | number
  pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
  dilations: [number, number] | number
  filterShape: [number, number, number, number]
}

export function depthwiseConv2dFilterGradient({ x, dy }: Inputs, attributes: Attributes): tf.Tensor4D {
  const { strides, pad, dimRoundingMode, dilations, filterShape } = attributes
  const info = tf.backend_util.computeConv2DInfo(
    x.shape,
    filterShape,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    true,
  )
  const { batchSize, outHeight, outWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } = info
  const [filterHeight, filterWidth, channels, multiplier] = filterShape
  const read = forFilterGradient(x, info)
  const positions = batchSize * outHeight * outWidth
  const gradients = tf.reshape(dy, [positions, channels, multiplier])
  const spanHeight = (outHeight - 1) * strideHeight + 1
  const spanWidth = (outWidth - 1) * strideWidth + 1
  const taps: tf.Tensor[] = []
  for (let k = 0; k < filterHeight; k++)
    for (let l = 0; l < filterWidth; l++)
      taps.push(
        tf.tidy(() => {
          const begin = [0, k * dilationHeight, l * dilationWidth, 0]
          const span = tf.slice(read, begin, [batchSize, spanHeight, spanWidth, channels])
          const seen =
            strideHeight === 1 && strideWidth === 1
              ? span
              : tf.stridedSlice(span, [0, 0, 0, 0], span.shape, [1, strideHeight, strideWidth, 1])
          return tf.sum(tf.mul(tf.reshape(seen, [positions, channels, 1]), gradients), 0) // [channels, multiplier]
        }),
      )
  return tf.reshape(tf.stack(taps), filterShape)
}

export const depthwiseConv2dBackpropFilterKernel = composedKernel(depthwiseConv2dFilterGradient)
