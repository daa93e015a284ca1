/** ClipByValue. Stock clamps NaN to a bound, which hides a diverging training, and clips integers as if their bits were floats. */
import * as tf from '@tensorflow/tfjs-core'
import { type WasmKernelContext, wasmKernel } from './wasm-kernel'

interface Attributes {
  clipValueMin: number
  clipValueMax: number
}

/** Rounded towards zero, as tfjs-cpu does when it stores a bound; infinity is the end of the range. */
const integerBound = (bound: number) => Math.trunc(Math.min(Math.max(bound, -(2 ** 31)), 2 ** 31 - 1))

export const clipByValueKernel = wasmKernel(
  'ClipByValue',
  ({ heap, wasm, inputs: { x }, attrs, stock }: WasmKernelContext<{ x: tf.TensorInfo }, Attributes>) => {
    if (x.dtype !== 'float32' && x.dtype !== 'int32') return stock()
    const { clipValueMin: low, clipValueMax: high } = attrs
    const y = heap.output(x.shape, x.dtype)
    const size = tf.util.sizeFromShape(x.shape)
    const [from, to] = [heap.pointer(x), y.pointer]
    if (x.dtype === 'float32') wasm.clip(from, to, size, low, high)
    else wasm.clipIntegers(from, to, size, integerBound(low), integerBound(high))
    return y
  },
)
