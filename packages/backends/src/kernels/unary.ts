/** Exp, Tanh and Erf, four floats at a time. Stock calls the C library per element. */
import * as tf from '@tensorflow/tfjs-core'
import type { KernelExports } from '../generated/kernels'
import { type WasmKernelContext, wasmKernel } from './wasm-kernel'

type UnaryFunction = (x: number, y: number, n: number) => void

const unaryKernel = (kernelName: string, functionOf: (wasm: KernelExports) => UnaryFunction) =>
  wasmKernel(
    kernelName,
    ({ heap, wasm, inputs: { x }, stock }: WasmKernelContext<{ x: tf.TensorInfo }, object>) => {
      if (x.dtype !== 'float32') return stock()
      const y = heap.output(x.shape)
      const size = tf.util.sizeFromShape(x.shape)
      if (size) functionOf(wasm)(heap.pointer(x), y.pointer, size)
      return y
    },
  )

export const expKernel = unaryKernel('Exp', (wasm) => wasm.exp)
export const tanhKernel = unaryKernel('Tanh', (wasm) => wasm.tanh)
export const erfKernel = unaryKernel('Erf', (wasm) => wasm.erf)
