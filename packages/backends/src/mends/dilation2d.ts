/** Greyscale dilation and its gradients. tfjs-wasm starts the running maximum at the smallest positive float. */
import * as tf from '@tensorflow/tfjs-core'
import { type ArrayTensor, arrayKernel } from '../training-kernels/array-kernel'

interface DilationAttributes {
  strides: [number, number] | number
  pad: 'valid' | 'same' | number
  dilations: [number, number] | number
}

/** Calls `visit(output, input, tap)` with flat indices for the winning tap of every output. */
function winners(
  x: ArrayTensor,
  filter: ArrayTensor,
  { strides, pad, dilations }: DilationAttributes,
  visit: (output: number, input: number, tap: number) => void,
): number[] {
  const info = tf.backend_util.computeDilation2DInfo(
    x.shape as [number, number, number, number],
    filter.shape as [number, number, number],
    strides,
    pad as 'same',
    'NHWC',
    dilations,
  )
  const { batchSize, inHeight, inWidth, inChannels: channels, padInfo } = info
  let output = 0
  for (let n = 0; n < batchSize; n++)
    for (let i = 0; i < info.outHeight; i++)
      for (let j = 0; j < info.outWidth; j++)
        for (let c = 0; c < channels; c++) {
          let [best, input, tap] = [Number.NEGATIVE_INFINITY, -1, -1]
          for (let k = 0; k < info.filterHeight; k++) {
            const row = i * info.strideHeight - padInfo.top + k * info.dilationHeight
            if (row < 0 || row >= inHeight) continue
            for (let l = 0; l < info.filterWidth; l++) {
              const column = j * info.strideWidth - padInfo.left + l * info.dilationWidth
              if (column < 0 || column >= inWidth) continue
              const at = ((n * inHeight + row) * inWidth + column) * channels + c
              const weight = (k * info.filterWidth + l) * channels + c
              const sum = x.values[at]! + filter.values[weight]!
              if (sum > best || input < 0) [best, input, tap] = [sum, at, weight]
            }
          }
          visit(output++, input, tap)
        }
  return info.outShape
}

const sizeOf = (shape: number[]) => shape.reduce((a, b) => a * b, 1)

export const dilation2d = arrayKernel<DilationAttributes>(({ x, filter }, attributes) => {
  const values: number[] = []
  const shape = winners(x!, filter!, attributes, (_, input, tap) => {
    values.push(x!.values[input]! + filter!.values[tap]!)
  })
  return [{ shape, values: Float32Array.from(values) }]
})

export const dilation2dBackpropInput = arrayKernel<DilationAttributes>(({ x, filter, dy }, attributes) => {
  const values = new Float32Array(sizeOf(x!.shape))
  winners(x!, filter!, attributes, (output, input) => {
    values[input]! += dy!.values[output]!
  })
  return [{ shape: x!.shape, values }]
})

export const dilation2dBackpropFilter = arrayKernel<DilationAttributes>(({ x, filter, dy }, attributes) => {
  const values = new Float32Array(sizeOf(filter!.shape))
  winners(x!, filter!, attributes, (output, _, tap) => {
    values[tap]! += dy!.values[output]!
  })
  return [{ shape: filter!.shape, values }]
})
