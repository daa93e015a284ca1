/** Exp, Tanh and Erf, four floats at a time. Stock calls the C library per element. */
import * as tf from '@tensorflow/tfjs-core'
import { kernels } from '../generated/kernels'
import { type WasmKernelContext, wasmKernel } from './wasm-kernel'

/** Nanoseconds of an element. */
const costs = { exp: 1, tanh: 2.5, erf: 2.5 }

const unaryKernel = (kernelName: string, name: keyof typeof costs) =>
  wasmKernel(
    kernelName,
    ({ heap, inputs: { x }, stock }: WasmKernelContext<{ x: tf.TensorInfo }, object>) => {
      if (x.dtype !== 'float32') return stock()
      const y = heap.output(x.shape)
      const size = tf.util.sizeFromShape(x.shape)
      const px = size ? heap.pointer(x) : 0
      heap.parallelFor(kernels, name, {
        ...{ length: size, cost: costs[name], multiple: 16 },
        parameters: (start, count) => [px + start * 4, y.pointer + start * 4, count],
      })
      return y
    },
  )

export const expKernel = unaryKernel('Exp', 'exp')
export const tanhKernel = unaryKernel('Tanh', 'tanh')
export const erfKernel = unaryKernel('Erf', 'erf')
