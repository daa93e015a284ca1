/** Gradients of depthwise convolutions, images apart: `assembly/depthwise-gradients.ts`. */
import * as tf from '@tensorflow/tfjs-core'
import { type KernelExports, kernels } from '../generated/kernels'
import { wasmKernel } from './wasm-kernel'

type Shape4D = [number, number, number, number]

interface Attributes {
  strides: [number, number] | number
  pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
  dilations: [number, number] | number
}

/** The numbers of the kernels' arguments, and sizes in floats per image. */
function geometryOf(wasm: KernelExports, inputShape: Shape4D, filterShape: Shape4D, attributes: Attributes) {
  const { strides, pad, dimRoundingMode, dilations } = attributes
  const info = tf.backend_util.computeConv2DInfo(
    ...([inputShape, filterShape, strides, dilations ?? 1, pad, dimRoundingMode, true] as const),
  )
  const { batchSize, inHeight, inWidth, outHeight, outWidth, padInfo } = info
  const { strideHeight, strideWidth, dilationHeight, dilationWidth } = info
  const [filterHeight, filterWidth, channels, multiplier] = filterShape
  // The image in its frame of zeros, as far as the outputs see it.
  const paddedHeight = (outHeight - 1) * strideHeight + (filterHeight - 1) * dilationHeight + 1
  const paddedWidth = (outWidth - 1) * strideWidth + (filterWidth - 1) * dilationWidth + 1
  const wide = channels * multiplier
  const outputs = outHeight * outWidth * wide
  return {
    sizes: [
      ...([inHeight, inWidth, channels, multiplier, paddedHeight, paddedWidth] as const),
      ...([padInfo.top, padInfo.left, filterHeight, filterWidth, strideHeight, strideWidth] as const),
      ...([dilationHeight, dilationWidth, outHeight, outWidth] as const),
    ] as const,
    ...{ batch: batchSize, outputs, inputs: inHeight * inWidth * channels },
    taps: filterHeight * filterWidth * wide,
    items: {
      ...{ length: batchSize, cost: 0.25 * outputs * filterHeight * filterWidth },
      scratch: wasm.depthwiseScratch(paddedHeight, paddedWidth, wide),
    },
  }
}

export const depthwiseConv2dBackpropFilterKernel = wasmKernel<
  { x: tf.TensorInfo; dy: tf.TensorInfo },
  Attributes & { filterShape: Shape4D }
>('DepthwiseConv2dNativeBackpropFilter', ({ heap, wasm, inputs: { x, dy }, attrs }) => {
  const { filterShape } = attrs
  const { sizes, batch, outputs, inputs, taps, items } = geometryOf(
    wasm,
    x.shape as Shape4D,
    filterShape,
    attrs,
  )
  const dw = heap.output(filterShape)
  const [px, pdy] = [heap.pointer(x), heap.pointer(dy)]
  // An image's part each, added in order: the same sum whoever computes which.
  heap.scratch(4 * (batch + 1) * taps, (parts) => {
    heap.parallelFor(kernels, 'depthwiseFilterGradient', {
      ...items,
      parameters: (image, count, scratch) => [
        ...([px + image * inputs * 4, pdy + image * outputs * 4, parts + image * taps * 4, count] as const),
        ...sizes,
        scratch,
      ],
    })
    wasm.sumColumns(parts, dw.pointer, parts + batch * taps * 4, 1, batch, taps, 1)
  })
  return dw
})

export const depthwiseConv2dBackpropInputKernel = wasmKernel<
  { dy: tf.TensorInfo; filter: tf.TensorInfo },
  Attributes & { inputShape: Shape4D }
>('DepthwiseConv2dNativeBackpropInput', ({ heap, wasm, inputs: { dy, filter }, attrs }) => {
  const filterShape = filter.shape as Shape4D
  const { sizes, outputs, inputs, items } = geometryOf(wasm, attrs.inputShape, filterShape, attrs)
  const dx = heap.output(attrs.inputShape)
  const [pdy, w] = [heap.pointer(dy), heap.pointer(filter)]
  heap.parallelFor(kernels, 'depthwiseInputGradient', {
    ...items,
    parameters: (image, count, scratch) => [
      ...([pdy + image * outputs * 4, w, dx.pointer + image * inputs * 4, count] as const),
      ...sizes,
      scratch,
    ],
  })
  return dx
})
