/**
 * DepthwiseConv2dNativeBackpropInput as a depthwise convolution of the spread-out output gradient with the flipped
 * filter. A channel multiplier becomes separate channels whose results are added.
 */
import * as tf from '@tensorflow/tfjs-core'
import { composedKernel } from './composed-kernel'
import { forInputGradient } from './correlation-padding'

type Inputs = { dy: tf.Tensor4D; filter: tf.Tensor4D }
type Attributes = {
  strides: [number, number] | number
  pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
  dilations: [number, number] | number
  inputShape: [number, number, number, number]
}

export function depthwiseConv2dInputGradient({ dy, filter }: Inputs, attributes: Attributes): tf.Tensor4D {
  const { strides, pad, dimRoundingMode, dilations, inputShape } = attributes
  const info = tf.backend_util.computeConv2DInfo(
    inputShape,
    filter.shape,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    true,
  )
  const [filterHeight, filterWidth, channels, multiplier] = filter.shape
  const flipped = tf.reshape(tf.reverse(filter, [0, 1]), [
    filterHeight,
    filterWidth,
    channels * multiplier,
    1,
  ]) as tf.Tensor4D
  const perOutput = tf.depthwiseConv2d(forInputGradient(dy, info), flipped, 1, 'valid', 'NHWC', [
    info.dilationHeight,
    info.dilationWidth,
  ]) // [batch, height, width, channels multiplier]
  if (multiplier === 1) return perOutput
  return tf.reshape(tf.sum(tf.reshape(perOutput, [-1, multiplier]), 1), inputShape)
}

export const depthwiseConv2dBackpropInputKernel = composedKernel(depthwiseConv2dInputGradient)
