/** What the gradients of recurrent layers have in common on wasm, once those of the sums, `dz`, are there for all time steps. */
import type * as tf from '@tensorflow/tfjs-core'
import { kernels } from '../generated/kernels'
import type { WasmHeap } from '../heap/wasm-heap'
import { multiply, productCost } from '../kernels/matmul'

export const bytesOf = (floats: number) => 4 * floats

export interface RecurrentSizes {
  batch: number
  time: number
  features: number
  units: number
}

/** `x` is [batch, time, features], `h` [batch, units]. */
export function sizesOf({ x, h }: { x: tf.TensorInfo; h: tf.TensorInfo }): RecurrentSizes {
  const [batch, time, features] = x.shape as [number, number, number]
  return { batch, time, features, units: h.shape[1]! }
}

/** Addresses: `dz` [batch time, width] is read, the others are written. */
interface InputGradients {
  dz: number
  width: number
  dx: number
  dKernel: number
  dBias: number
}

/** dx = dz K', dK = x' dz, and the bias's gradient, the sum of dz over all rows. */
export function inputGradients(
  heap: WasmHeap,
  inputs: { x: tf.TensorInfo; h: tf.TensorInfo; kernel: tf.TensorInfo },
  { dz, width, dx, dKernel, dBias }: InputGradients,
): void {
  const { batch, time, features } = sizesOf(inputs)
  const rows = batch * time
  multiply(heap, {
    ...{ transposeA: false, transposeB: true, m: rows, n: features, k: width },
    ...{ a: dz, lda: width, b: heap.pointer(inputs.kernel), ldb: width, c: dx },
  })
  multiply(heap, {
    ...{ transposeA: true, transposeB: false, m: features, n: width, k: rows },
    ...{ a: heap.pointer(inputs.x), lda: features, b: dz, ldb: width, c: dKernel },
  })
  heap.scratch(bytesOf(width), (partial) =>
    heap.kernels(kernels).sumColumns(dz, dBias, partial, 1, rows, width, 1),
  )
}

/** Writes to `to` [batch, time, units] what the recurrent weights were multiplied with: `h`, then the states of all steps but the last. */
export function stateBefore(
  heap: WasmHeap,
  { to, h, states, batch, time, units }: RecurrentSizes & { to: number; h: number; states: number },
): void {
  const wasm = heap.kernels(kernels)
  wasm.copyRows(to, time * units, h, units, batch, units)
  const rest = (time - 1) * units
  if (rest > 0) wasm.copyRows(to + bytesOf(units), time * units, states, time * units, batch, rest)
}

interface WeightGradient {
  rows: number
  units: number
  /** [rows, units] */
  a: number
  dz: number
  /** Columns of `dz`, and of the result. */
  width: number
  /** The first column of those that are computed, and how many there are. */
  from: number
  columns: number
  /** [units, width] */
  to: number
}

/** a' dz for some of the columns. */
export function weightGradient(
  heap: WasmHeap,
  { rows, units, a, dz, width, from, columns, to }: WeightGradient,
): void {
  heap.parallelFor(kernels, 'sgemm', {
    ...{ length: units, cost: productCost(1, columns, rows), multiple: 4 },
    scratch: heap.kernels(kernels).sgemmScratch(units, columns, rows),
    parameters: (start, count, scratch) => [
      ...([true, false, count, columns, rows, 1, a + bytesOf(start), units] as const),
      ...([dz + bytesOf(from), width, to + bytesOf(start * width + from), width, false, scratch] as const),
    ],
  })
}
