/** Transpose: exchanges of two (merged) axes. Stock copies element by element. */
import * as tf from '@tensorflow/tfjs-core'
import { kernels } from '../generated/kernels'
import { identityKernel } from './identity'
import { type WasmKernelContext, wasmKernel } from './wasm-kernel'

/** Nanoseconds. */
const costPerElement = 0.4

export const transposeKernel: tf.KernelFunc = (args) => {
  const { x } = args.inputs as { x: tf.TensorInfo }
  const { perm } = args.attrs as unknown as { perm: number[] }
  const shape = perm.map((axis) => x.shape[axis]!)
  const merged = mergeAxes(x.shape, perm)
  if (x.dtype !== 'string' && merged.perm.every((axis, i) => axis === i))
    return { ...(identityKernel(args) as tf.TensorInfo), shape }
  return exchange(args)
}

const exchange = wasmKernel(
  'Transpose',
  ({
    heap,
    wasm,
    inputs: { x },
    attrs,
    stock,
  }: WasmKernelContext<{ x: tf.TensorInfo }, { perm: number[] }>) => {
    const { lengths, perm } = mergeAxes(x.shape, attrs.perm)
    // A first axis that stays is a batch.
    const stays = perm[0] === 0
    const [batch, axes] = stays ? [lengths[0]!, lengths.slice(1)] : [1, lengths]
    const order = (stays ? perm.slice(1).map((axis) => axis - 1) : perm).join()
    const covered = order === '1,0' || order === '1,0,2'
    if ((x.dtype !== 'float32' && x.dtype !== 'int32') || !covered) return stock()
    const [rows, columns, n] = axes as [number, number, number?]
    const y = heap.output(
      attrs.perm.map((axis) => x.shape[axis]!),
      x.dtype,
    )
    if (tf.util.sizeFromShape(x.shape) === 0) return y
    if (n === undefined)
      heap.scratch(1024, (tile) => wasm.transpose(heap.pointer(x), y.pointer, tile, batch, rows, columns))
    else {
      const [px, size] = [heap.pointer(x), rows * columns * n]
      heap.parallelFor(kernels, 'transposeRows', {
        ...{ length: batch, cost: size * costPerElement },
        parameters: (first, count) => [
          ...([px + first * size * 4, y.pointer + first * size * 4, count, rows, columns, n] as const),
        ],
      })
    }
    return y
  },
)

/** Axes that stay neighbours become one; those of length 1 go. */
function mergeAxes(shape: number[], perm: number[]): { lengths: number[]; perm: number[] } {
  const runs: number[][] = []
  for (const axis of perm.filter((axis) => shape[axis] !== 1)) {
    const run = runs.at(-1)
    const next = run && shape.findIndex((length, i) => i > run.at(-1)! && length !== 1)
    if (run && axis === next) run.push(axis)
    else runs.push([axis])
  }
  const sorted = [...runs].sort((p, q) => p[0]! - q[0]!)
  return {
    lengths: sorted.map((run) => run.reduce((product, axis) => product * shape[axis]!, 1)),
    perm: runs.map((run) => sorted.indexOf(run)),
  }
}
