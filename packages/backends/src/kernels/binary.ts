/**
 * Comparison, maximum, minimum and squared difference with broadcasting, for which stock computes two indices per element,
 * and arithmetic of more than six axes, which stock gets wrong. Below that, its arithmetic is as fast as ours on one thread.
 */
import * as tf from '@tensorflow/tfjs-core'
import { kernels } from '../generated/kernels'
import { type BroadcastAxis, broadcastAxes } from './broadcast-axes'
import { type WasmKernelContext, wasmKernel } from './wasm-kernel'

/** The function of `assembly/binary.ts` for each kernel. */
const arithmetic = { Add: 'add', Sub: 'sub', Multiply: 'multiply', RealDiv: 'realDiv' } as const
const others = { Maximum: 'maximum', Minimum: 'minimum', SquaredDifference: 'squaredDifference' } as const
const comparisons = {
  Equal: 'equal',
  NotEqual: 'notEqual',
  Greater: 'greater',
  GreaterEqual: 'greaterEqual',
  Less: 'less',
  LessEqual: 'lessEqual',
} as const
const functions = { ...arithmetic, ...others, ...comparisons }

interface Inputs {
  a: tf.TensorInfo
  b: tf.TensorInfo
}

const binaryKernel = (kernelName: keyof typeof functions) => {
  const compares = kernelName in comparisons
  return wasmKernel(kernelName, ({ heap, inputs: { a, b }, stock }: WasmKernelContext<Inputs, object>) => {
    if (a.dtype !== 'float32' || b.dtype !== 'float32') return stock()
    const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape)
    const size = tf.util.sizeFromShape(shape)
    const alone = heap.threads === 1 || size < worthSharing
    if (kernelName in arithmetic && shape.length <= 6 && alone) return stock()
    const y = heap.output(shape, compares ? 'bool' : 'float32')
    if (size === 0) return y
    const run = (axes: BroadcastAxis[], pa: number, pb: number, py: number): void => {
      if (axes.length > 3) {
        const [{ length, a: strideA, b: strideB }, ...rest] = axes as [BroadcastAxis, ...BroadcastAxis[]]
        const bytes = (compares ? 1 : 4) * rest.reduce((product, axis) => product * axis.length, 1)
        for (let i = 0; i < length; i++) run(rest, pa + i * strideA * 4, pb + i * strideB * 4, py + i * bytes)
        return
      }
      const [first, ...rest] = axes.length ? (axes as [BroadcastAxis, ...BroadcastAxis[]]) : [none]
      const step = rest.reduce((product, axis) => product * axis.length, 1)
      heap.parallelFor(kernels, functions[kernelName], {
        ...{ length: first.length, cost: step * costPerElement },
        // Whole vectors, of bytes too.
        multiple: rest.length ? 1 : 16,
        parameters: (start, length) => {
          const [outer, middle, inner] = [none, none, none, { ...first, length }, ...rest].slice(-3) as Three
          return [
            ...([pa + start * first.a * 4, pb + start * first.b * 4] as const),
            ...([py + start * step * (compares ? 1 : 4), outer.length, middle.length, inner.length] as const),
            ...([outer.a, middle.a, inner.a, outer.b, middle.b, inner.b] as const),
          ]
        },
      })
    }
    run(broadcastAxes(a.shape, b.shape), heap.pointer(a), heap.pointer(b), y.pointer)
    return y
  })
}

type Three = [BroadcastAxis, BroadcastAxis, BroadcastAxis]

/** Nanoseconds: 12 bytes at 40 GB/s. */
const costPerElement = 0.3

/** Elements from which several threads are faster than stock on one. */
const worthSharing = 100_000

const none: BroadcastAxis = { length: 1, a: 0, b: 0 }

export const binaryKernels: Record<string, tf.KernelFunc> = Object.fromEntries(
  (Object.keys(functions) as (keyof typeof functions)[]).map((name) => [name, binaryKernel(name)]),
)
