/**
 * The Gaussian error linear unit in one pass, forward and backward.
 *
 * Paper: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016, https://arxiv.org/abs/1606.08415, section 2: x Phi(x), and its
 * approximation by tanh.
 */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '../define-op/define-op'
import { kernels } from '../generated/kernels'

interface Attributes {
  approximate: boolean
}

/** Nanoseconds of an element. */
const costs = { forward: 3, backward: 4 }

const root = Math.sqrt(2 / Math.PI)
const inner = (x: tf.Tensor) => tf.mul(tf.mul(x, tf.add(tf.mul(tf.square(x), 0.044715), 1)), root)
const exact = (x: tf.Tensor) => tf.erf(tf.mul(x, Math.SQRT1_2))

const forward = defineOp<{ x: tf.Tensor }, Attributes, tf.Tensor>({
  name: 'backends/Gelu',
  reference: ({ x }, { approximate }) =>
    tf.mul(tf.mul(x, 0.5), tf.add(approximate ? tf.tanh(inner(x)) : exact(x), 1)),
  gradient: ({ dy, inputs: { x }, attrs }) => ({ x: backward({ x, dy }, attrs) }),
  kernels: {
    wasm: ({ heap, inputs: { x }, attrs: { approximate } }) => {
      const y = heap.output(x.shape)
      const px = x.size ? heap.pointer(x) : 0
      heap.parallelFor(kernels, 'gelu', {
        ...{ length: x.size, cost: costs.forward, multiple: 16 },
        parameters: (start, count) => [approximate, px + start * 4, y.pointer + start * 4, count],
      })
      return y
    },
  },
})

const backward = defineOp<{ x: tf.Tensor; dy: tf.Tensor }, Attributes, tf.Tensor>({
  name: 'backends/GeluGradient',
  // Phi(x) + x phi(x); or, with t = tanh(inner), (1 + t) / 2 + x (1 - t^2) inner' / 2
  reference: ({ x, dy }, { approximate }) => {
    if (approximate) {
      const t = tf.tanh(inner(x))
      const slope = tf.mul(tf.add(tf.mul(tf.square(x), 3 * 0.044715), 1), root)
      const rest = tf.mul(tf.mul(x, tf.sub(1, tf.square(t))), slope)
      return tf.mul(dy, tf.mul(tf.add(tf.add(t, 1), rest), 0.5))
    }
    const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
    return tf.mul(dy, tf.add(tf.mul(tf.add(exact(x), 1), 0.5), tf.mul(x, density)))
  },
  kernels: {
    wasm: ({ heap, inputs: { x, dy }, attrs: { approximate } }) => {
      const dx = heap.output(x.shape)
      const [px, pdy] = x.size ? [heap.pointer(x), heap.pointer(dy)] : [0, 0]
      heap.parallelFor(kernels, 'geluGradient', {
        ...{ length: x.size, cost: costs.backward, multiple: 16 },
        parameters: (start, count) => [
          ...([approximate, px + start * 4, pdy + start * 4, dx.pointer + start * 4, count] as const),
        ],
      })
      return dx
    },
  },
})

/** The ops behind {@link gelu}, for tests. */
export const geluOps = { forward, backward }

/**
 * x Phi(x), where Phi is the distribution function of the normal distribution: x (1 + erf(x / sqrt(2))) / 2.
 *
 * @param x float32, any shape.
 * @param options.approximate Uses x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 instead, which differs by up to 5e-4. @default false
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { gelu, useBackend } from '@tfgraft/backends'
 *
 * await useBackend('wasm')
 * gelu(tf.tensor1d([-1, 0, 1])).print() // [-0.1587, 0, 0.8413]
 * ```
 */
export function gelu<T extends tf.Tensor>(x: T, { approximate = false }: { approximate?: boolean } = {}): T {
  return forward({ x }, { approximate }) as T
}
