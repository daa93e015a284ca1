/**
 * Conv2DBackpropFilter and Conv2DBackpropInput on `assembly/conv2d-gradients.ts`, with any stride and dilation.
 * Stock wasm has no filter gradient, and its input gradient visits every element of the window alone.
 */
import * as tf from '@tensorflow/tfjs-core'
import { conv2dBackpropFilterKernel as composedFilterKernel } from '../training-kernels/conv2d-backprop-filter'
import { product } from './matmul'
import { type WasmKernelContext, wasmKernel } from './wasm-kernel'

interface Attributes {
  strides: [number, number] | number
  pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding
  dataFormat: 'NHWC' | 'NCHW'
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
  /** tfjs's own ops have no dilation; the gradient of a dilated convolution passes it. */
  dilations?: [number, number] | number
}

type Shape4D = [number, number, number, number]

function geometry(x: Shape4D, filter: Shape4D, { strides, pad, dimRoundingMode, dilations = 1 }: Attributes) {
  const info = tf.backend_util.computeConv2DInfo(x, filter, strides, dilations, pad, dimRoundingMode)
  const { filterHeight, filterWidth, inChannels, outChannels, strideHeight, strideWidth, padInfo } = info
  const { batchSize, inHeight, inWidth, outHeight, outWidth, dilationHeight, dilationWidth } = info
  return {
    patch: filterHeight * filterWidth * inChannels,
    outChannels,
    /** Each output position reads the channels of one input position: the convolution is a product. */
    isProduct:
      filterHeight * filterWidth === 1 &&
      strideHeight * strideWidth === 1 &&
      outHeight === inHeight &&
      outWidth === inWidth,
    // In the order of the compiled functions' parameters.
    sizes: [
      ...[
        batchSize,
        inHeight,
        inWidth,
        inChannels,
        outHeight,
        outWidth,
        outChannels,
        filterHeight,
        filterWidth,
      ],
      ...[strideHeight, strideWidth, dilationHeight, dilationWidth, padInfo.top, padInfo.left],
    ] as Sizes,
  }
}

type Sizes = [
  ...[number, number, number, number, number, number, number, number],
  ...[number, number, number, number, number, number, number],
]

/** Matrices of the innermost axis, for products. */
const asRows = (info: tf.TensorInfo): tf.TensorInfo => {
  const columns = info.shape.at(-1)!
  return { ...info, dataId: info.dataId, shape: [tf.util.sizeFromShape(info.shape) / columns, columns] }
}

const reshaped = (info: tf.TensorInfo, shape: number[]): tf.TensorInfo => ({ ...info, shape })

export const conv2dBackpropFilterKernel: tf.KernelFunc = (args) =>
  (args.attrs as unknown as Attributes).dataFormat === 'NCHW'
    ? composedFilterKernel(args)
    : filterKernel(args)

const filterKernel = wasmKernel(
  'Conv2DBackpropFilter',
  ({
    heap,
    wasm,
    inputs: { x, dy },
    attrs,
  }: WasmKernelContext<{ x: tf.TensorInfo; dy: tf.TensorInfo }, Attributes & { filterShape: Shape4D }>) => {
    const { patch, outChannels, isProduct, sizes } = geometry(x.shape as Shape4D, attrs.filterShape, attrs)
    if (isProduct) {
      const dw = product(heap, wasm, asRows(x), asRows(dy), { transposeA: true, transposeB: false })
      return reshaped(dw, attrs.filterShape)
    }
    const dw = heap.output(attrs.filterShape)
    heap.scratch(wasm.conv2dGradientScratch(patch, outChannels), (scratch) =>
      wasm.conv2dBackpropFilter(heap.pointer(x), heap.pointer(dy), dw.pointer, ...sizes, scratch),
    )
    return dw
  },
)

export const conv2dBackpropInputKernel = wasmKernel(
  'Conv2DBackpropInput',
  ({
    heap,
    wasm,
    inputs: { dy, filter },
    attrs,
    stock,
  }: WasmKernelContext<
    { dy: tf.TensorInfo; filter: tf.TensorInfo },
    Attributes & { inputShape: Shape4D }
  >) => {
    if (attrs.dataFormat === 'NCHW') return stock()
    const { patch, outChannels, isProduct, sizes } = geometry(
      attrs.inputShape,
      filter.shape as Shape4D,
      attrs,
    )
    if (isProduct) {
      const weights = reshaped(filter, filter.shape.slice(2))
      const dx = product(heap, wasm, asRows(dy), weights, { transposeA: false, transposeB: true })
      return reshaped(dx, attrs.inputShape)
    }
    const dx = heap.output(attrs.inputShape)
    heap.scratch(wasm.conv2dGradientScratch(patch, outChannels), (scratch) =>
      wasm.conv2dBackpropInput(heap.pointer(filter), heap.pointer(dy), dx.pointer, ...sizes, scratch),
    )
    return dx
  },
)
