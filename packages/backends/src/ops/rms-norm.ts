/**
 * Root-mean-square normalisation over the last axis: y = x / sqrt(mean(x^2) + epsilon) * gain.
 *
 * Paper: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019, https://arxiv.org/abs/1910.07467, equation 4.
 * It is also the model of an op with a kernel: README, "Adding an op".
 */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '../define-op/define-op'
import { kernels } from '../generated/kernels'
import { rowsOf } from './rows-of'

interface Inputs {
  /** [..., n] */
  x: tf.Tensor
  /** [n] */
  gain: tf.Tensor
}

interface Attributes {
  epsilon: number
}

const forward = defineOp<Inputs, Attributes, [tf.Tensor, tf.Tensor]>({
  name: 'backends/RmsNorm',
  returns: 'first',
  // The second output, 1 / sqrt(mean(x^2) + epsilon), is for the gradient.
  reference: ({ x, gain }, { epsilon }) => {
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon)) // [..., 1]
    return [tf.mul(tf.mul(x, inverse), gain), inverse]
  },
  gradient: ({ dy, inputs: { x, gain }, outputs: [, inverse] }) => {
    const [dx, dgain] = backward({ x, gain, inverse, dy })
    return { x: dx, gain: dgain }
  },
  kernels: {
    wasm: ({ heap, inputs: { x, gain }, attrs: { epsilon } }) => {
      const { rows, n } = rowsOf(x)
      const y = heap.output(x.shape)
      const inverse = heap.output([...x.shape.slice(0, -1), 1])
      const { rmsNorm } = heap.kernels(kernels)
      rmsNorm(heap.pointer(x), heap.pointer(gain), y.pointer, inverse.pointer, rows, n, epsilon)
      return [y, inverse]
    },
  },
})

const backward = defineOp<
  Inputs & { inverse: tf.Tensor; dy: tf.Tensor },
  void,
  [dx: tf.Tensor, dgain: tf.Tensor]
>({
  name: 'backends/RmsNormGradient',
  // dx = r (g dy - x r^2 mean(g dy x)), dgain = sum over rows of dy x r
  reference: ({ x, gain, inverse, dy }) => {
    const scaled = tf.mul(dy, gain)
    const pull = tf.mul(tf.square(inverse), tf.mean(tf.mul(scaled, x), -1, true))
    const { rows, n } = rowsOf(x)
    const perRow = tf.reshape(tf.mul(tf.mul(dy, x), inverse), [rows, n])
    return [tf.mul(inverse, tf.sub(scaled, tf.mul(x, pull))), tf.sum(perRow, 0)]
  },
  kernels: {
    wasm: ({ heap, inputs: { x, gain, inverse, dy } }) => {
      const { rows, n } = rowsOf(x)
      const dx = heap.output(x.shape)
      const dgain = heap.output(gain.shape)
      const [xp, gp, rp, dyp] = [x, gain, inverse, dy].map(heap.pointer)
      heap.kernels(kernels).rmsNormGradient(xp!, gp!, rp!, dyp!, dx.pointer, dgain.pointer, rows, n)
      return [dx, dgain]
    },
  },
})

/** The ops behind {@link rmsNorm}, for tests. */
export const rmsNormOps = { forward, backward }

/**
 * Divides each row by its root mean square, and scales by `gain`.
 *
 * @param x float32, [..., n], n at least 1.
 * @param gain float32, [n].
 * @param epsilon Added to the mean square. @default 1e-5
 * @throws when the shapes do not fit.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { rmsNorm, useBackend } from '@tfgraft/backends'
 *
 * await useBackend('wasm')
 * rmsNorm(tf.tensor2d([[3, 4]]), tf.ones([2])).print() // [[0.848, 1.131]]
 * ```
 */
export function rmsNorm<T extends tf.Tensor>(x: T, gain: tf.Tensor, epsilon = 1e-5): T {
  const n = x.shape.at(-1)
  if (!n || gain.rank !== 1 || gain.shape[0] !== n)
    throw new Error(
      `rmsNorm: \`gain\` must have the length of \`x\`'s last axis. Received x=[${x.shape}], gain=[${gain.shape}].`,
    )
  return forward({ x, gain }, { epsilon }) as T
}
