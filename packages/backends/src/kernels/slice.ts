/**
 * Slice, SplitV and Concat along one axis. Stock copies the whole input out of the heap for each slice: for a minibatch,
 * the whole data set; and rows one by one in JavaScript.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { KernelExports } from '../generated/kernels'
import type { HeapTensor, WasmHeap } from '../heap/wasm-heap'
import { type WasmKernelContext, wasmKernel } from './wasm-kernel'

const sizeOf = tf.util.sizeFromShape
const is32Bit = ({ dtype }: tf.TensorInfo) => dtype === 'float32' || dtype === 'int32'

/** Elements `begin` to `begin + length` of one axis. */
function sliceAxis(
  heap: WasmHeap,
  wasm: KernelExports,
  x: tf.TensorInfo,
  axis: number,
  begin: number,
  length: number,
): HeapTensor {
  const y = heap.output(
    x.shape.map((whole, i) => (i === axis ? length : whole)),
    x.dtype as 'float32' | 'int32',
  )
  if (sizeOf(y.shape) === 0) return y
  const rows = sizeOf(x.shape.slice(0, axis))
  const inner = sizeOf(x.shape.slice(axis + 1))
  const step = x.shape[axis]! * inner
  wasm.copyRows(y.pointer, length * inner, heap.pointer(x) + begin * inner * 4, step, rows, length * inner)
  return y
}

interface SliceAttributes {
  begin: number | number[]
  size: number | number[]
}

export const sliceKernel = wasmKernel(
  'Slice',
  ({ heap, wasm, inputs: { x }, attrs, stock }: WasmKernelContext<{ x: tf.TensorInfo }, SliceAttributes>) => {
    const [begin, size] = tf.slice_util.parseSliceParams(x as tf.Tensor, attrs.begin, attrs.size)
    const axes = [...x.shape.keys()].filter((axis) => size[axis] !== x.shape[axis])
    if (!is32Bit(x) || axes.length > 1 || x.shape.length === 0) return stock()
    const axis = axes[0] ?? 0
    return sliceAxis(heap, wasm, x, axis, begin[axis]!, size[axis]!)
  },
)

interface SplitAttributes {
  numOrSizeSplits: number[] | number
  axis: number
}

export const splitKernel = wasmKernel(
  'SplitV',
  ({ heap, wasm, inputs: { x }, attrs, stock }: WasmKernelContext<{ x: tf.TensorInfo }, SplitAttributes>) => {
    if (!is32Bit(x)) return stock()
    const axis = tf.util.parseAxisParam(attrs.axis, x.shape)[0]!
    const lengths = tf.backend_util.prepareSplitSize(x as tf.Tensor, attrs.numOrSizeSplits, axis)
    let begin = 0
    return lengths.map((length) => {
      const part = sliceAxis(heap, wasm, x, axis, begin, length)
      begin += length
      return part
    })
  },
)

export const concatKernel = wasmKernel(
  'Concat',
  ({ heap, wasm, inputs, attrs, stock }: WasmKernelContext<tf.TensorInfo[], { axis: number }>) => {
    const tensors = Object.values(inputs)
    const [first] = tensors as [tf.TensorInfo]
    if (!tensors.every((x) => is32Bit(x) && x.dtype === first.dtype)) return stock()
    const axis = tf.util.parseAxisParam(attrs.axis, first.shape)[0]!
    const shapes = tensors.map(({ shape }) => shape)
    tf.backend_util.assertParamsConsistent(shapes, axis)
    const y = heap.output(tf.backend_util.computeOutShape(shapes, axis), first.dtype as 'float32' | 'int32')
    const rows = sizeOf(y.shape.slice(0, axis))
    const step = sizeOf(y.shape.slice(axis))
    let at = 0
    for (const x of tensors) {
      const count = sizeOf(x.shape.slice(axis))
      if (rows * count > 0) wasm.copyRows(y.pointer + at * 4, step, heap.pointer(x), count, rows, count)
      at += count
    }
    return y
  },
)
