/** Sizes of a two-dimensional convolution, as the compiled kernels take them. */
import * as tf from '@tensorflow/tfjs-core'

export interface ConvolutionAttributes {
  strides: [number, number] | number
  pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding
  dataFormat: 'NHWC' | 'NCHW'
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
  /** tfjs's own ops have no dilation; the gradient of a dilated convolution passes it. */
  dilations?: [number, number] | number
}

export type Shape4D = [number, number, number, number]

/** What the kernels of `assembly/conv2d.ts` need to know of a convolution. */
export function geometry(
  x: Shape4D,
  filter: Shape4D,
  { strides, pad, dimRoundingMode, dilations = 1 }: ConvolutionAttributes,
) {
  const info = tf.backend_util.computeConv2DInfo(x, filter, strides, dilations, pad, dimRoundingMode)
  const { filterHeight, filterWidth, inChannels, outChannels, strideHeight, strideWidth, padInfo } = info
  const { batchSize, inHeight, inWidth, outHeight, outWidth, dilationHeight, dilationWidth } = info
  const patch = filterHeight * filterWidth * inChannels
  return {
    patch,
    outChannels,
    outShape: info.outShape,
    /** Output positions of all images. */
    positions: batchSize * outHeight * outWidth,
    /** Nanoseconds on one thread: the product at 30 GFLOP/s, and laying out the patch. */
    costPerPosition: patch * (outChannels / 15 + 1),
    /** Each output position reads the channels of one input position: the convolution is a product. */
    isProduct:
      filterHeight * filterWidth === 1 &&
      strideHeight * strideWidth === 1 &&
      outHeight === inHeight &&
      outWidth === inWidth,
    // In the order of the compiled functions' parameters.
    sizes: [
      ...[inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, filterHeight, filterWidth],
      ...[strideHeight, strideWidth, dilationHeight, dilationWidth, padInfo.top, padInfo.left],
    ] as Sizes,
  }
}

type Sizes = [
  ...[number, number, number, number, number, number, number, number],
  ...[number, number, number, number, number, number],
]
