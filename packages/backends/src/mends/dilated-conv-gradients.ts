/**
 * Convolutions with dilations above one, whose gradients tfjs refuses; and `dimRoundingMode`, which its gradient of conv2d
 * drops. Without dilation the backend's own gradient kernels run.
 */
import * as tf from '@tensorflow/tfjs-core'
import { conv2dFilterGradient } from '../training-kernels/conv2d-backprop-filter'
import { forInputGradient } from '../training-kernels/correlation-padding'
import { depthwiseConv2dFilterGradient } from '../training-kernels/depthwise-conv2d-backprop-filter'
import { depthwiseConv2dInputGradient } from '../training-kernels/depthwise-conv2d-backprop-input'

type Shape4D = [number, number, number, number]

interface ConvAttributes {
  strides: [number, number] | number
  pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding
  dataFormat: 'NHWC' | 'NCHW'
  dilations: [number, number] | number
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

const isDilated = (dilations: number | number[] | null | undefined) =>
  [dilations ?? 1].flat().some((d) => d > 1)

/** `dx` is the convolution of the padded `dy` with the flipped filter, input and output channels exchanged. */
function dilatedInputGradient(
  dy: tf.Tensor4D,
  filter: tf.Tensor4D,
  inputShape: Shape4D,
  attributes: ConvAttributes,
) {
  const channelsLast = attributes.dataFormat !== 'NCHW'
  const info = tf.backend_util.computeConv2DInfo(
    inputShape,
    filter.shape,
    attributes.strides,
    attributes.dilations,
    attributes.pad,
    attributes.dimRoundingMode,
    false,
    channelsLast ? 'channelsLast' : 'channelsFirst',
  )
  const flipped = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]) as tf.Tensor4D
  const spread = forInputGradient(channelsLast ? dy : (tf.transpose(dy, [0, 2, 3, 1]) as tf.Tensor4D), info)
  const dx = tf.conv2d(spread, flipped, 1, 'valid', 'NHWC', [info.dilationHeight, info.dilationWidth])
  return channelsLast ? dx : (tf.transpose(dx, [0, 3, 1, 2]) as tf.Tensor4D)
}

export const conv2dGradient: tf.GradConfig = {
  kernelName: 'Conv2D',
  inputsToSave: ['x', 'filter'],
  gradFunc: (gradient, saved, attrs) => {
    const [x, filter] = saved as [tf.Tensor4D, tf.Tensor4D]
    const dy = gradient as tf.Tensor4D
    const attributes = attrs as unknown as ConvAttributes
    if (isDilated(attributes.dilations))
      return {
        x: () => dilatedInputGradient(dy, filter, x.shape, attributes),
        filter: () => conv2dFilterGradient({ x, dy }, { ...attributes, filterShape: filter.shape }),
      }
    const { strides, pad, dataFormat, dimRoundingMode } = attributes
    const shared = { strides, pad, dataFormat, dimRoundingMode } as tf.NamedAttrMap
    const run = (kernelName: string, inputs: tf.NamedTensorMap, own: tf.NamedAttrMap) =>
      tf.engine().runKernel(kernelName, inputs, { ...shared, ...own }) as tf.Tensor
    return {
      x: () => run('Conv2DBackpropInput', { dy, filter }, { inputShape: x.shape }),
      filter: () => run('Conv2DBackpropFilter', { x, dy }, { filterShape: filter.shape }),
    }
  },
}

export const depthwiseConv2dGradient: tf.GradConfig = {
  kernelName: 'DepthwiseConv2dNative',
  inputsToSave: ['x', 'filter'],
  gradFunc: (gradient, saved, attrs) => {
    const [x, filter] = saved as [tf.Tensor4D, tf.Tensor4D]
    const dy = gradient as tf.Tensor4D
    const { strides, pad, dimRoundingMode, dilations } = attrs as unknown as ConvAttributes
    const shared = { strides, pad, dimRoundingMode, dilations: dilations ?? 1 }
    if (isDilated(dilations))
      return {
        x: () => depthwiseConv2dInputGradient({ dy, filter }, { ...shared, inputShape: x.shape }),
        filter: () => depthwiseConv2dFilterGradient({ x, dy }, { ...shared, filterShape: filter.shape }),
      }
    const run = (kernelName: string, inputs: tf.NamedTensorMap, own: tf.NamedAttrMap) =>
      tf.engine().runKernel(kernelName, inputs, { ...(shared as tf.NamedAttrMap), ...own }) as tf.Tensor
    return {
      x: () => run('DepthwiseConv2dNativeBackpropInput', { dy, filter }, { inputShape: x.shape }),
      filter: () => run('DepthwiseConv2dNativeBackpropFilter', { x, dy }, { filterShape: filter.shape }),
    }
  },
}

/** conv3dTranspose is the input gradient of conv3d, so its gradients are a convolution and a filter gradient. */
export const conv3dTransposeGradient: tf.GradConfig = {
  kernelName: 'Conv3DBackpropInputV2',
  inputsToSave: ['dy', 'filter'],
  gradFunc: (gradient, saved, attrs) => {
    const [dy, filter] = saved as [tf.Tensor5D, tf.Tensor5D]
    const ddx = gradient as tf.Tensor5D
    const { strides, pad } = attrs as unknown as {
      strides: [number, number, number] | number
      pad: 'valid' | 'same'
    }
    return {
      dy: () => tf.conv3d(ddx, filter, strides, pad),
      filter: () =>
        tf
          .engine()
          .runKernel(
            'Conv3DBackpropFilterV2',
            { x: ddx, dy },
            { strides, pad, filterShape: filter.shape },
          ) as tf.Tensor,
    }
  },
}
