/**
 * Conv2DBackpropFilter as one convolution: batch takes the role of the input channels, the output gradient the role of
 * the filter, and strides and dilations change places. `dw[k, l, c, o] = sum_{n, i, j} x[n, i s + k d, j s + l d, c] dy[n, i, j, o]`.
 */
import * as tf from '@tensorflow/tfjs-core'
import { composedKernel } from './composed-kernel'

type Inputs = { x: tf.Tensor4D; dy: tf.Tensor4D }
type Attributes = {
  strides: [number, number] | number
  pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding
  dataFormat: 'NHWC' | 'NCHW'
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
  filterShape: [number, number, number, number]
  /** tfjs's own op has no dilation; the gradient of a dilated convolution passes it. */
  dilations?: [number, number] | number
}

export function conv2dFilterGradient({ x, dy }: Inputs, attributes: Attributes): tf.Tensor4D {
  const { strides, pad, dataFormat, dimRoundingMode, filterShape, dilations = 1 } = attributes
  const channelsLast = dataFormat !== 'NCHW'
  const info = tf.backend_util.computeConv2DInfo(
    x.shape,
    filterShape,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    false,
    channelsLast ? 'channelsLast' : 'channelsFirst',
  )
  const images = tf.transpose(x, channelsLast ? [3, 1, 2, 0] : [1, 2, 3, 0]) // [inChannels, height, width, batch]
  const filters = tf.transpose(dy, channelsLast ? [1, 2, 0, 3] : [2, 3, 0, 1]) // [outHeight, outWidth, batch, outChannels]
  // Rows below the last window that the forward pass read: none are needed, and 'ceil' rounding may need some more.
  const bottom =
    (info.outHeight - 1) * info.strideHeight +
    (info.filterHeight - 1) * info.dilationHeight +
    1 -
    info.inHeight -
    info.padInfo.top
  const right =
    (info.outWidth - 1) * info.strideWidth +
    (info.filterWidth - 1) * info.dilationWidth +
    1 -
    info.inWidth -
    info.padInfo.left
  const correlated = tf.conv2d(
    images as tf.Tensor4D,
    filters as tf.Tensor4D,
    [info.dilationHeight, info.dilationWidth],
    [
      [0, 0],
      [info.padInfo.top, Math.max(0, bottom)],
      [info.padInfo.left, Math.max(0, right)],
      [0, 0],
    ],
    'NHWC',
    [info.strideHeight, info.strideWidth],
  ) // [inChannels, at least filterHeight, at least filterWidth, outChannels]
  const [inChannels, , , outChannels] = correlated.shape
  const taps = tf.slice(
    correlated,
    [0, 0, 0, 0],
    [inChannels, info.filterHeight, info.filterWidth, outChannels],
  )
  return tf.transpose(taps, [1, 2, 0, 3])
}

export const conv2dBackpropFilterKernel = composedKernel(conv2dFilterGradient)
