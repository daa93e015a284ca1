/** MaxPoolGrad. Stock starts its maximum at the smallest positive number, and so loses windows without one. */
import * as tf from '@tensorflow/tfjs-core'
import { kernels } from '../generated/kernels'
import { type WasmKernelContext, wasmKernel } from './wasm-kernel'

interface Inputs {
  dy: tf.TensorInfo
  input: tf.TensorInfo
}

interface Attributes {
  filterSize: [number, number] | number
  strides: [number, number] | number
  pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

type Two = [number, number]

/** Nanoseconds. */
const costPerElement = 1

export const maxPoolGradKernel = wasmKernel(
  'MaxPoolGrad',
  ({ heap, inputs: { dy, input }, attrs }: WasmKernelContext<Inputs, Attributes>) => {
    const { filterSize, strides, pad, dimRoundingMode } = attrs
    const shape = input.shape as [number, number, number, number]
    const info = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode)
    const dx = heap.output(shape)
    const [px, pdy] = [heap.pointer(input), heap.pointer(dy)]
    const [sizeIn, sizeOut] = [info.inShape, info.outShape].map((of) =>
      tf.util.sizeFromShape(of.slice(1)),
    ) as Two
    heap.parallelFor(kernels, 'maxPoolGradient', {
      ...{ length: info.batchSize, cost: sizeIn * costPerElement },
      parameters: (first, count) => [
        ...([
          px + first * sizeIn * 4,
          pdy + first * sizeOut * 4,
          dx.pointer + first * sizeIn * 4,
          count,
        ] as const),
        ...([info.inHeight, info.inWidth, info.inChannels, info.outHeight, info.outWidth] as const),
        ...([info.filterHeight, info.filterWidth, info.strideHeight, info.strideWidth] as const),
        ...([info.dilationHeight, info.dilationWidth, info.padInfo.top, info.padInfo.left] as const),
      ],
    })
    return dx
  },
)
