/**
 * Sum and Mean over any axes. Stock transposes first unless the axes are the last, adds one float after the other (a sum
 * of a million is off in the fourth digit), and leaves the sum of an empty tensor uninitialised.
 */
import * as tf from '@tensorflow/tfjs-core'
import { type KernelExports, kernels } from '../generated/kernels'
import type { HeapTensor, WasmHeap } from '../heap/wasm-heap'
import { type WasmKernelContext, wasmKernel } from './wasm-kernel'

interface Attributes {
  axis: number | number[] | null
  keepDims: boolean
}

/** Neighbouring axes that are all summed, or all kept. */
interface AxisGroup {
  length: number
  summed: boolean
}

/** The axes of a tensor, merged as far as they are treated alike. Axes of length 1 do not count. */
export function groupAxes(shape: readonly number[], summedAxes: readonly number[]): AxisGroup[] {
  const groups: AxisGroup[] = []
  shape.forEach((length, axis) => {
    if (length === 1) return
    const summed = summedAxes.includes(axis)
    const last = groups.at(-1)
    if (last?.summed === summed) last.length *= length
    else groups.push({ length, summed })
  })
  return groups
}

/** Nanoseconds. */
const costPerElement = 0.15

function sumGroups(
  heap: WasmHeap,
  wasm: KernelExports,
  groups: AxisGroup[],
  x: number,
  y: number,
  scale: number,
): void {
  const at = groups.findLastIndex(({ summed }) => summed)
  const before = groups.slice(0, at).reduce((product, { length }) => product * length, 1)
  const after = groups.slice(at + 1).reduce((product, { length }) => product * length, 1)
  const { length } = groups[at]!
  const reduce = (to: number, by: number) =>
    after === 1
      ? heap.parallelFor(kernels, 'sumRows', {
          ...{ length: before, cost: length * costPerElement },
          parameters: (row, count) => [x + row * length * 4, to + row * 4, count, length, by],
        })
      : heap.scratch(after * 4, (partial) => wasm.sumColumns(x, to, partial, before, length, after, by))
  const rest = groups.filter((_, i) => i !== at)
  if (!rest.some(({ summed }) => summed)) reduce(y, scale)
  else
    heap.scratch(before * after * 4, (partial) => {
      reduce(partial, 1)
      sumGroups(heap, wasm, rest, partial, y, scale)
    })
}

const sumKernelWith = (kernelName: string, scaleOf: (terms: number) => number) =>
  wasmKernel(
    kernelName,
    ({ heap, wasm, inputs: { x }, attrs, stock }: WasmKernelContext<{ x: tf.TensorInfo }, Attributes>) => {
      if (x.dtype !== 'float32') return stock()
      const axes = tf.util.parseAxisParam(attrs.axis ?? x.shape.map((_, axis) => axis), x.shape)
      const [keptShape, summedShape] = tf.backend_util.computeOutAndReduceShapes(x.shape, axes)
      const shape = attrs.keepDims ? tf.backend_util.expandShapeToKeepDim(keptShape, axes) : keptShape
      const y: HeapTensor = heap.output(shape)
      const size = tf.util.sizeFromShape(shape)
      const terms = tf.util.sizeFromShape(summedShape)
      if (size === 0) return y
      const scale = scaleOf(terms)
      if (terms === 0) heap.floats(y.pointer, size).fill(0 * scale)
      else {
        const groups = groupAxes(x.shape, axes)
        // Nothing to add up: the one term, scaled.
        if (terms === 1) groups.push({ length: 1, summed: true })
        sumGroups(heap, wasm, groups, heap.pointer(x), y.pointer, scale)
      }
      return y
    },
  )

export const sumKernel = sumKernelWith('Sum', () => 1)
export const meanKernel = sumKernelWith('Mean', (terms) => 1 / terms)
