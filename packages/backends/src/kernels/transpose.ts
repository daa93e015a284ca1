/** Transpose of 32-bit elements, after merging the axes that stay neighbours. Stock copies element by element. */
import * as tf from '@tensorflow/tfjs-core'
import { type KernelExports, kernels } from '../generated/kernels'
import { identityKernel } from './identity'
import { type WasmKernelContext, wasmKernel } from './wasm-kernel'

/** Nanoseconds. */
const costPerElement = 0.4

/** Of the tile in `assembly/transpose.ts`. */
const tileBytes = 64 * 64 * 4

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
    if (x.dtype !== 'float32' && x.dtype !== 'int32') return stock()
    const y = heap.output(
      attrs.perm.map((axis) => x.shape[axis]!),
      x.dtype,
    )
    if (tf.util.sizeFromShape(x.shape) === 0) return y
    // A first axis that stays is a batch.
    const order = (perm[0] === 0 ? perm.slice(1).map((axis) => axis - 1) : perm).join()
    const [batch, rows, columns, n] = (perm[0] === 0 ? lengths : [1, ...lengths]) as [
      number,
      number,
      number,
      number,
    ]
    if (order === '1,0,2') {
      const [px, size] = [heap.pointer(x), rows * columns * n]
      heap.parallelFor(kernels, 'transposeRows', {
        ...{ length: batch, cost: size * costPerElement },
        parameters: (first, count) => [
          ...([px + first * size * 4, y.pointer + first * size * 4, count, rows, columns, n] as const),
        ],
      })
    } else if (perm.at(-1) === perm.length - 1) moveRows(wasm, heap.pointer(x), y.pointer, lengths, perm)
    else
      heap.scratch(tileBytes, (tile) =>
        exchangeMatrices(wasm, heap.pointer(x), y.pointer, tile, lengths, perm),
      )
    return y
  },
)

/** An axis of the output: its length, and how far apart its elements lie in the input and in the output. */
interface Axis {
  length: number
  x: number
  y: number
}

function axesOf(lengths: number[], perm: number[]): Axis[] {
  const stride = (of: number[], axis: number) => of.slice(axis + 1).reduce((product, n) => product * n, 1)
  const out = perm.map((axis) => lengths[axis]!)
  return perm.map((axis, i) => ({ length: out[i]!, x: stride(lengths, axis), y: stride(out, i) }))
}

/** Calls `body` with the offsets, in elements, of every index of `axes`. */
function forEach(axes: Axis[], body: (x: number, y: number) => void, x = 0, y = 0): void {
  const [axis, ...rest] = axes
  if (!axis) body(x, y)
  else for (let i = 0; i < axis.length; i++) forEach(rest, body, x + i * axis.x, y + i * axis.y)
}

/** The last axis stays: rows move. The longest other axis is the innermost loop. */
function moveRows(wasm: KernelExports, x: number, y: number, lengths: number[], perm: number[]): void {
  const axes = axesOf(lengths, perm)
  const { length: n } = axes.pop()!
  const [longest, ...others] = axes.sort((a, b) => b.length - a.length) as [Axis, ...Axis[]]
  forEach(others, (dx, dy) => wasm.copyRows(y + dy * 4, longest.y, x + dx * 4, longest.x, longest.length, n))
}

/** The last axis of the input and the last of the output change places, for each index of the others. */
function exchangeMatrices(
  wasm: KernelExports,
  x: number,
  y: number,
  tile: number,
  lengths: number[],
  perm: number[],
): void {
  const axes = axesOf(lengths, perm)
  const rows = axes.pop()!
  const [columns] = axes.splice(perm.indexOf(perm.length - 1), 1) as [Axis]
  const [longest = none, ...others] = axes.sort((a, b) => b.length - a.length)
  forEach(others, (dx, dy) =>
    wasm.transpose(
      ...([x + dx * 4, y + dy * 4, tile, longest.length, rows.length, columns.length] as const),
      ...([longest.x, longest.y, rows.x, columns.y] as const),
    ),
  )
}

const none: Axis = { length: 1, x: 0, y: 0 }

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
