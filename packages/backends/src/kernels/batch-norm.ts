/**
 * FusedBatchNorm, forward on wasm and its gradient on every backend. tfjs makes fifteen passes over the batch in the
 * gradient, three of them to repeat the statistics in the batch's shape; this makes one.
 */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '../define-op/define-op'
import { kernels } from '../generated/kernels'
import { sumToShape } from '../mends/sum-to-shape'
import { type WasmKernelContext, wasmKernel } from './wasm-kernel'

interface Inputs {
  x: tf.TensorInfo
  mean: tf.TensorInfo
  variance: tf.TensorInfo
  scale?: tf.TensorInfo
  offset?: tf.TensorInfo
}

/** The statistics are those of the last axis. */
const isByColumn = (x: tf.TensorInfo, ...statistics: (tf.TensorInfo | undefined)[]) =>
  statistics.every(
    (s) => !s || (s.dtype === 'float32' && s.shape.length === 1 && s.shape[0] === x.shape.at(-1)),
  )

/** Nanoseconds. */
const costPerElement = 0.3

export const fusedBatchNormKernel = wasmKernel(
  'FusedBatchNorm',
  ({ heap, inputs, attrs, stock }: WasmKernelContext<Inputs, { varianceEpsilon: number }>) => {
    const { x, mean, variance, scale, offset } = inputs
    const n = x.shape.at(-1) ?? 0
    const size = tf.util.sizeFromShape(x.shape)
    if (x.dtype !== 'float32' || size === 0 || !isByColumn(x, mean, variance, scale, offset)) return stock()
    const y = heap.output(x.shape)
    heap.scratch(2 * n * 4, (scratch) => {
      const zeros = scratch + n * 4
      const [factors, ones] = [heap.floats(scratch, n), heap.floats(zeros, n)]
      const [v, s] = [variance, scale].map((t) => t && heap.floats(heap.pointer(t), n))
      for (let j = 0; j < n; j++) factors[j] = (s?.[j] ?? 1) / Math.sqrt(v![j]! + attrs.varianceEpsilon)
      ones.fill(0)
      const shift = offset ? heap.pointer(offset) : zeros
      const [px, pm] = [heap.pointer(x), heap.pointer(mean)]
      heap.parallelFor(kernels, 'normalizeColumns', {
        ...{ length: size / n, cost: n * costPerElement },
        parameters: (row, count) => [
          ...([px + row * n * 4, pm, scratch, shift, y.pointer + row * n * 4, count, n] as const),
        ],
      })
    })
    return y
  },
)

interface GradientInputs {
  x: tf.Tensor
  dy: tf.Tensor
  /** [n] */
  mean: tf.Tensor
  /** [n], scale / sqrt(variance + epsilon) */
  factor: tf.Tensor
}

/** dx = dy factor, and by column the sums of dy and of dy (x - mean). */
export const normalizeColumnsGradient = defineOp<GradientInputs, void, [tf.Tensor, tf.Tensor, tf.Tensor]>({
  name: 'backends/NormalizeColumnsGradient',
  reference: ({ x, dy, mean, factor }) => {
    const rows = x.shape.slice(0, -1).map((_, axis) => axis)
    return [tf.mul(dy, factor), tf.sum(dy, rows), tf.sum(tf.mul(dy, tf.sub(x, mean)), rows)]
  },
  kernels: {
    wasm: ({ heap, inputs: { x, dy, mean, factor } }) => {
      const n = mean.size
      const [dx, sums, products] = [heap.output(x.shape), heap.output([n]), heap.output([n])]
      const [px, pdy, pm, pf] = [x, dy, mean, factor].map(heap.pointer) as [number, number, number, number]
      heap.scratch(2 * n * 4, (partial) =>
        heap
          .kernels(kernels)
          .normalizeColumnsGradient(
            ...([px, pdy, pm, pf, dx.pointer, sums.pointer, products.pointer, partial] as const),
            ...([n ? x.size / n : 0, n] as const),
          ),
      )
      return [dx, sums, products]
    },
  },
})

export const fusedBatchNormGradient: tf.GradConfig = {
  kernelName: 'FusedBatchNorm',
  inputsToSave: ['x', 'mean', 'variance', 'scale'],
  gradFunc: (dy, [x, mean, variance, scale], attrs) => {
    const { varianceEpsilon } = attrs as unknown as { varianceEpsilon: number }
    return isByColumn(x!, mean, variance, scale)
      ? byColumn(dy as tf.Tensor, x!, mean!, variance!, scale, varianceEpsilon)
      : byElement(dy as tf.Tensor, x!, mean!, variance!, scale, varianceEpsilon)
  },
}

type Gradients = Record<string, () => tf.Tensor>

function byColumn(
  dy: tf.Tensor,
  x: tf.Tensor,
  mean: tf.Tensor,
  variance: tf.Tensor,
  scale: tf.Tensor | undefined,
  epsilon: number,
): Gradients {
  const inverse = tf.rsqrt(tf.add(variance, epsilon)) // [n]
  const factor = scale ? tf.mul(inverse, scale) : inverse
  const [dx, sums, products] = normalizeColumnsGradient({ x, dy, mean, factor })
  return {
    x: () => dx,
    mean: () => tf.neg(tf.mul(factor, sums)),
    variance: () => tf.mul(tf.mul(tf.mul(factor, tf.square(inverse)), products), -0.5),
    scale: () => tf.mul(products, inverse),
    offset: () => sums,
  }
}

/** Statistics of any shape that broadcasts to the batch's, such as those of layer normalisation. */
function byElement(
  dy: tf.Tensor,
  x: tf.Tensor,
  mean: tf.Tensor,
  variance: tf.Tensor,
  scale: tf.Tensor | undefined,
  epsilon: number,
): Gradients {
  const inverse = tf.rsqrt(tf.add(variance, epsilon))
  const dx = tf.mul(dy, scale ? tf.mul(inverse, scale) : inverse)
  const centred = tf.sub(x, mean)
  return {
    x: () => dx,
    mean: () => sumToShape(tf.neg(dx), mean.shape),
    variance: () => sumToShape(tf.mul(tf.mul(tf.mul(dx, centred), tf.square(inverse)), -0.5), variance.shape),
    scale: () => sumToShape(tf.mul(tf.mul(dy, centred), inverse), scale?.shape ?? mean.shape),
    offset: () => sumToShape(dy.clone(), mean.shape),
  }
}
