/**
 * Conv2D and FusedConv2D on `assembly/conv2d.ts`, with bias and activation. Stock's is as fast on one thread, but computes on one
 * only: ours is for several.
 */
import * as tf from '@tensorflow/tfjs-core'
import { kernels } from '../generated/kernels'
import { activationCodes } from './activation-codes'
import { type ConvolutionAttributes, geometry, type Shape4D } from './conv2d-geometry'
import { type WasmKernelContext, wasmKernel } from './wasm-kernel'

interface Inputs {
  x: tf.TensorInfo
  filter: tf.TensorInfo
  bias?: tf.TensorInfo
  preluActivationWeights?: tf.TensorInfo
}

interface Attributes extends ConvolutionAttributes {
  activation?: string
  leakyreluAlpha?: number
}

/** Nanoseconds. Below that, a convolution stays with stock, whatever the threads are doing: the same shape, the same bits. */
const worthSharing = 100_000

const conv2d = (kernelName: string) =>
  wasmKernel(kernelName, ({ heap, wasm, inputs, attrs, stock }: WasmKernelContext<Inputs, Attributes>) => {
    const { x, filter, bias, preluActivationWeights: slopes } = inputs
    if (heap.threads === 1 || attrs.dataFormat === 'NCHW') return stock()
    const { patch, outChannels, outShape, sizes, positions, costPerPosition } = geometry(
      x.shape as Shape4D,
      filter.shape as Shape4D,
      attrs,
    )
    const activation = activationCodes[attrs.activation ?? 'linear']
    const isRow = (info?: tf.TensorInfo) => !info || tf.util.sizeFromShape(info.shape) === outChannels
    const covered = activation !== undefined && isRow(bias) && isRow(slopes)
    if (!covered || positions * costPerPosition < worthSharing) return stock()
    const y = heap.output(outShape)
    const [px, pf] = [heap.pointer(x), heap.pointer(filter)]
    const [pb, ps] = [bias, slopes].map((info) => (info ? heap.pointer(info) : 0)) as [number, number]
    heap.parallelFor(kernels, 'conv2d', {
      ...{ length: positions, cost: costPerPosition, scratch: wasm.conv2dScratch(patch, outChannels) },
      multiple: 256,
      parameters: (first, count, scratch) => [
        ...([px, pf, y.pointer, first, count] as const),
        ...sizes,
        ...([activation, pb, ps, attrs.leakyreluAlpha ?? 0.2, scratch] as const),
      ],
    })
    return y
  })

export const conv2dKernel = conv2d('Conv2D')
export const fusedConv2dKernel = conv2d('FusedConv2D')
