/**
 * Conv2DBackpropFilter and Conv2DBackpropInput on `assembly/conv2d.ts`, with any stride and dilation. Stock wasm has no
 * filter gradient, and its input gradient visits every element of the window alone.
 */
import * as tf from '@tensorflow/tfjs-core'
import { kernels } from '../generated/kernels'
import { conv2dBackpropFilterKernel as composedFilterKernel } from '../training-kernels/conv2d-backprop-filter'
import { type ConvolutionAttributes, geometry, type Shape4D } from './conv2d-geometry'
import { product } from './matmul'
import { type WasmKernelContext, wasmKernel } from './wasm-kernel'

type Attributes = ConvolutionAttributes

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
    const { patch, outChannels, isProduct, sizes, positions, costPerPosition } = geometry(
      x.shape as Shape4D,
      attrs.filterShape,
      attrs,
    )
    if (isProduct) {
      const dw = product(heap, wasm, asRows(x), asRows(dy), { transposeA: true, transposeB: false })
      return reshaped(dw, attrs.filterShape)
    }
    const dw = heap.output(attrs.filterShape)
    const [px, pdy] = [heap.pointer(x), heap.pointer(dy)]
    const { groups, length } = positionGroups(positions)
    heap.scratch(groups * patch * outChannels * 4, (shares) => {
      heap.parallelFor(kernels, 'conv2dBackpropFilter', {
        ...{
          length: groups,
          cost: length * costPerPosition,
          scratch: wasm.conv2dScratch(patch, outChannels),
        },
        parameters: (first, count, scratch) => [
          ...([px, pdy, shares, first, count, length, positions] as const),
          ...sizes,
          scratch,
        ],
      })
      wasm.sumFilterGradient(shares, dw.pointer, groups, patch, outChannels)
    })
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
    const { patch, outChannels, isProduct, sizes, positions, costPerPosition } = geometry(
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
    const [pf, pdy] = [heap.pointer(filter), heap.pointer(dy)]
    const [images, imageSize] = [attrs.inputShape[0], tf.util.sizeFromShape(attrs.inputShape.slice(1))]
    const positionsOfImage = positions / images
    heap.parallelFor(kernels, 'conv2dBackpropInput', {
      ...{
        length: images,
        cost: positionsOfImage * costPerPosition,
        scratch: wasm.conv2dScratch(patch, outChannels),
      },
      // Products of a single position are added up in another order than those of several.
      multiple: positionsOfImage === 1 ? 4 : 1,
      parameters: (first, count, scratch) => [
        ...([
          pf,
          pdy + first * positionsOfImage * outChannels * 4,
          dx.pointer + first * imageSize * 4,
          count,
        ] as const),
        ...sizes,
        scratch,
      ],
    })
    return dx
  },
)

/**
 * How the positions of a filter's gradient are added up: a group after the other, each in a sum of its own, whatever the number of threads.
 * Groups are long, because each costs a share of the filter's size.
 */
function positionGroups(positions: number): { groups: number; length: number } {
  const length = Math.max(4, Math.ceil(positions / 256 / 16)) * 256
  return { groups: Math.ceil(positions / length), length }
}
