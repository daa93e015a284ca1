/** GatherV2 of whole rows, and UnsortedSegmentSum, its gradient, which stock lacks. */
import * as tf from '@tensorflow/tfjs-core'
import { unsortedSegmentSumKernel as composedSegmentSum } from '../training-kernels/unsorted-segment-sum'
import { type WasmKernelContext, wasmKernel } from './wasm-kernel'

interface GatherInputs {
  x: tf.TensorInfo
  indices: tf.TensorInfo
}

export const gatherKernel = wasmKernel(
  'GatherV2',
  ({
    heap,
    wasm,
    inputs,
    attrs,
    stock,
  }: WasmKernelContext<GatherInputs, { axis: number; batchDims: number }>) => {
    const { x, indices } = inputs
    const is32Bit = x.dtype === 'float32' || x.dtype === 'int32'
    if (!is32Bit || attrs.batchDims || indices.dtype !== 'int32') return stock()
    const axis = tf.util.parseAxisParam(attrs.axis, x.shape)[0]!
    const outer = tf.util.sizeFromShape(x.shape.slice(0, axis))
    const rows = x.shape[axis]!
    const n = tf.util.sizeFromShape(x.shape.slice(axis + 1))
    const count = tf.util.sizeFromShape(indices.shape)
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)]
    if (tf.util.sizeFromShape(shape) === 0) return stock()
    const y = heap.output(shape, x.dtype as 'float32' | 'int32')
    const pointer = heap.pointer(indices)
    const wrong = wasm.gatherRows(heap.pointer(x), pointer, y.pointer, outer, rows, count, n)
    if (wrong >= 0) {
      const index = heap.integers(pointer, count)[wrong]
      heap.discard(y)
      throw new Error(`GatherV2: the index value ${index} is not in [0, ${rows - 1}]`)
    }
    return y
  },
)

interface SegmentInputs {
  x: tf.TensorInfo
  segmentIds: tf.TensorInfo
}

export const unsortedSegmentSumKernel: tf.KernelFunc = (args) => {
  const { x, segmentIds } = args.inputs as unknown as SegmentInputs
  const direct = x.dtype === 'float32' && segmentIds.dtype === 'int32' && tf.util.sizeFromShape(x.shape) > 0
  return direct ? segmentSum(args) : composedSegmentSum(args)
}

const segmentSum = wasmKernel(
  'UnsortedSegmentSum',
  ({ heap, wasm, inputs, attrs }: WasmKernelContext<SegmentInputs, { numSegments: number }>) => {
    const { x, segmentIds } = inputs
    const rest = x.shape.slice(segmentIds.shape.length)
    const count = tf.util.sizeFromShape(segmentIds.shape)
    const y = heap.output([attrs.numSegments, ...rest])
    const n = tf.util.sizeFromShape(rest)
    wasm.segmentSum(heap.pointer(x), heap.pointer(segmentIds), y.pointer, count, attrs.numSegments, n)
    return y
  },
)
