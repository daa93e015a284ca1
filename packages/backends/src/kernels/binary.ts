/**
 * Comparison, maximum, minimum and squared difference with broadcasting, for which stock computes two indices per element,
 * and arithmetic of more than six axes, which stock gets wrong. Below that, its arithmetic is as fast as ours.
 */
import * as tf from '@tensorflow/tfjs-core'
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
  return wasmKernel(
    kernelName,
    ({ heap, wasm, inputs: { a, b }, stock }: WasmKernelContext<Inputs, object>) => {
      if (a.dtype !== 'float32' || b.dtype !== 'float32') return stock()
      const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape)
      if (kernelName in arithmetic && shape.length <= 6) return stock()
      const y = heap.output(shape, compares ? 'bool' : 'float32')
      if (tf.util.sizeFromShape(shape) === 0) return y
      const run = (axes: BroadcastAxis[], pa: number, pb: number, py: number): void => {
        if (axes.length > 3) {
          const [{ length, a: strideA, b: strideB }, ...rest] = axes as [BroadcastAxis, ...BroadcastAxis[]]
          const bytes = (compares ? 1 : 4) * rest.reduce((product, axis) => product * axis.length, 1)
          for (let i = 0; i < length; i++)
            run(rest, pa + i * strideA * 4, pb + i * strideB * 4, py + i * bytes)
          return
        }
        const [outer, middle, inner] = [none, none, none, ...axes].slice(-3) as [
          ...[BroadcastAxis, BroadcastAxis, BroadcastAxis],
        ]
        wasm[functions[kernelName]](
          ...([pa, pb, py, outer.length, middle.length, inner.length] as const),
          ...([outer.a, middle.a, inner.a, outer.b, middle.b, inner.b] as const),
        )
      }
      run(broadcastAxes(a.shape, b.shape), heap.pointer(a), heap.pointer(b), y.pointer)
      return y
    },
  )
}

const none: BroadcastAxis = { length: 1, a: 0, b: 0 }

export const binaryKernels: Record<string, tf.KernelFunc> = Object.fromEntries(
  (Object.keys(functions) as (keyof typeof functions)[]).map((name) => [name, binaryKernel(name)]),
)
