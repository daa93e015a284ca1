/** Select, which `tf.where` calls. */
import * as tf from '@tensorflow/tfjs-core'
import { type WasmKernelContext, wasmKernel } from './wasm-kernel'

interface Inputs {
  condition: tf.TensorInfo
  t: tf.TensorInfo
  e: tf.TensorInfo
}

export const selectKernel = wasmKernel(
  'Select',
  ({ heap, wasm, inputs: { condition, t, e }, stock }: WasmKernelContext<Inputs, object>) => {
    const sameShape = tf.util.arraysEqual(condition.shape, t.shape)
    if (!sameShape || t.dtype !== e.dtype || (t.dtype !== 'float32' && t.dtype !== 'int32')) return stock()
    const y = heap.output(t.shape, t.dtype)
    const [pc, pt, pe] = [condition, t, e].map(heap.pointer) as [number, number, number]
    wasm.select(pc, pt, pe, y.pointer, tf.util.sizeFromShape(t.shape))
    return y
  },
)
