/** LogicalAnd, which gates the gradient of every clipping and hard sigmoid. */
import * as tf from '@tensorflow/tfjs-core'
import { type WasmKernelContext, wasmKernel } from './wasm-kernel'

interface Inputs {
  a: tf.TensorInfo
  b: tf.TensorInfo
}

export const logicalAndKernel = wasmKernel(
  'LogicalAnd',
  ({ heap, wasm, inputs: { a, b }, stock }: WasmKernelContext<Inputs, object>) => {
    if (!tf.util.arraysEqual(a.shape, b.shape)) return stock()
    const y = heap.output(a.shape, 'bool')
    wasm.logicalAnd(heap.pointer(a), heap.pointer(b), y.pointer, tf.util.sizeFromShape(a.shape))
    return y
  },
)
