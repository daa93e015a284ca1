/**
 * Layer normalisation over the last axis: y = (x - mean) / sqrt(variance + epsilon) * gain + bias.
 *
 * Paper: Ba, Kiros and Hinton, "Layer Normalization", 2016, https://arxiv.org/abs/1607.06450, equations 3 and 4, with epsilon as
 * in Keras.
 */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '../define-op/define-op'
import { kernels } from '../generated/kernels'
import { rowsOf } from './rows-of'

interface Inputs {
  /** [..., n] */
  x: tf.Tensor
  /** [n] */
  gain?: tf.Tensor
  /** [n] */
  bias?: tf.Tensor
}

interface Attributes {
  epsilon: number
}

const forward = defineOp<Inputs, Attributes, [tf.Tensor, tf.Tensor]>({
  name: 'backends/LayerNorm',
  returns: 'first',
  // The second output is for the gradient: each row's mean and 1 / sqrt(variance + epsilon).
  reference: ({ x, gain, bias }, { epsilon }) => {
    const { mean, variance } = tf.moments(x, -1, true)
    const inverse = tf.rsqrt(tf.add(variance, epsilon)) // [..., 1]
    const z = tf.mul(tf.sub(x, mean), inverse)
    const scaled = gain ? tf.mul(z, gain) : z
    return [bias ? tf.add(scaled, bias) : scaled, tf.concat([mean, inverse], -1)]
  },
  gradient: ({ dy, inputs: { x, gain }, outputs: [, statistics] }) => {
    const [dx, dgain, dbias] = backward({ x, statistics, dy, ...(gain ? { gain } : {}) })
    return { x: dx, gain: dgain, bias: dbias }
  },
  kernels: {
    wasm: ({ heap, inputs: { x, gain, bias }, attrs: { epsilon } }) => {
      const { rows, n } = rowsOf(x)
      const [y, statistics] = [heap.output(x.shape), heap.output([...x.shape.slice(0, -1), 2])]
      const [g, b] = [gain ? heap.pointer(gain) : 0, bias ? heap.pointer(bias) : 0]
      const px = heap.pointer(x)
      heap.parallelFor(kernels, 'layerNorm', {
        ...{ length: rows, cost: n * 0.5 },
        parameters: (row, count) => [
          ...([px + row * n * 4, g, b, y.pointer + row * n * 4, statistics.pointer + row * 8] as const),
          ...([count, n, epsilon] as const),
        ],
      })
      return [y, statistics]
    },
  },
})

const backward = defineOp<
  { x: tf.Tensor; gain?: tf.Tensor; statistics: tf.Tensor; dy: tf.Tensor },
  void,
  [dx: tf.Tensor, dgain: tf.Tensor, dbias: tf.Tensor]
>({
  name: 'backends/LayerNormGradient',
  // z = (x - mean) r, g = dy gain: dx = r (g - mean(g) - z mean(g z)), dgain = sum of dy z, dbias = sum of dy
  reference: ({ x, gain, statistics, dy }) => {
    const { rows, n } = rowsOf(x)
    const [mean, inverse] = tf.split(statistics, 2, -1) as [tf.Tensor, tf.Tensor]
    const z = tf.mul(tf.sub(x, mean), inverse)
    const g = gain ? tf.mul(dy, gain) : dy
    const pulled = tf.mul(z, tf.mean(tf.mul(g, z), -1, true))
    const dx = tf.mul(inverse, tf.sub(tf.sub(g, tf.mean(g, -1, true)), pulled))
    const overRows = (t: tf.Tensor) => tf.sum(tf.reshape(t, [rows, n]), 0)
    return [dx, overRows(tf.mul(dy, z)), overRows(dy)]
  },
  kernels: {
    wasm: ({ heap, inputs: { x, gain, statistics, dy } }) => {
      const { rows, n } = rowsOf(x)
      const [dx, dgain, dbias] = [heap.output(x.shape), heap.output([n]), heap.output([n])]
      heap.scratch(2 * n * 4, (partial) =>
        heap
          .kernels(kernels)
          .layerNormGradient(
            ...([heap.pointer(x), gain ? heap.pointer(gain) : 0, heap.pointer(statistics)] as const),
            ...([heap.pointer(dy), dx.pointer, dgain.pointer, dbias.pointer, partial, rows, n] as const),
          ),
      )
      return [dx, dgain, dbias]
    },
  },
})

/** The ops behind {@link layerNorm}, for tests. */
export const layerNormOps = { forward, backward }

/**
 * Shifts each row to mean 0, divides it by its standard deviation, then scales by `gain` and adds `bias`.
 *
 * @param x float32, [..., n], n at least 1.
 * @param gain float32, [n]. @default ones
 * @param bias float32, [n]. @default zeros
 * @param epsilon Added to the variance. @default 1e-5
 * @throws when the shapes do not fit.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { layerNorm, useBackend } from '@tfgraft/backends'
 *
 * await useBackend('wasm')
 * layerNorm(tf.tensor2d([[1, 3]]), tf.ones([2]), tf.zeros([2])).print() // [[-1, 1]]
 * ```
 */
export function layerNorm<T extends tf.Tensor>(x: T, gain?: tf.Tensor, bias?: tf.Tensor, epsilon = 1e-5): T {
  const n = x.shape.at(-1)
  for (const [name, row] of Object.entries({ gain, bias }))
    if (!n || (row && (row.rank !== 1 || row.shape[0] !== n)))
      throw new Error(
        `layerNorm: \`${name}\` must have the length of \`x\`'s last axis. Received x=[${x.shape}], ` +
          `${name}=${row ? `[${row.shape}]` : row}.`,
      )
  return forward({ x, ...(gain ? { gain } : {}), ...(bias ? { bias } : {}) }, { epsilon }) as T
}
