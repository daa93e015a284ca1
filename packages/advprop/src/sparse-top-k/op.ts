/**
 * Keeps the entries of largest magnitude of each plane, and scales the others.
 *
 *     y = x f,     f = kept where |x| >= threshold(plane), else dropped;     dx = dy f
 *
 * The factor counts as a constant in the gradient: where it is decided (a comparison) it has none.
 */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '@tfgraft/backends'
import { kernels } from '../generated/kernels'
import { type SelectionAttributes, thresholdRank } from './threshold'
import { selectOnWebgpu } from './webgpu'

/** The factor of every entry of `x` [outer, size, inner], from tf ops that sort each plane. */
function factorOf(x: tf.Tensor, { k, convention, kept, dropped }: SelectionAttributes): tf.Tensor {
  const { rank, weight } = thresholdRank(x.shape[1]!, k, convention)
  const planes = tf.transpose(tf.abs(x), [0, 2, 1]) // [outer, inner, size]
  const largest = tf.topk(planes, rank).values // [outer, inner, rank], descending
  const at = (index: number) => tf.slice(largest, [0, 0, index], [-1, -1, 1])
  const a = at(rank - 1)
  // Not (1 - weight) a + weight b: equal neighbours must give exactly their value, or ties are lost.
  const threshold = weight > 0 ? tf.add(a, tf.mul(tf.sub(at(rank - 2), a), weight)) : a
  let keep = tf.cast(tf.greaterEqual(planes, threshold), 'float32')
  if (convention === 'count') {
    const equal = tf.cast(tf.equal(planes, threshold), 'float32')
    const larger = tf.sub(keep, equal)
    const room = tf.sub(rank, tf.sum(larger, 2, true))
    keep = tf.add(larger, tf.mul(equal, tf.cast(tf.lessEqual(tf.cumsum(equal, 2), room), 'float32')))
  }
  return tf.transpose(tf.add(tf.mul(keep, kept - dropped), dropped), [0, 2, 1])
}

/** A function whose result counts as a constant. */
function constant(f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor): tf.Tensor {
  return tf.customGrad((input) => ({
    value: f(input as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
  }))(x)
}

/** A plane of `x` [outer, size, inner] is `x[o, :, c]`. */
export const selectLargest = defineOp<{ x: tf.Tensor }, SelectionAttributes, [tf.Tensor, tf.Tensor]>({
  name: 'advprop/SparseTopK',
  returns: 'first',
  // The second output is the factor.
  reference: ({ x }, attrs) => {
    const factor = constant((input) => factorOf(input, attrs), x)
    return [tf.mul(x, factor), factor]
  },
  gradient: ({ dy, outputs: [, factor] }) => ({ x: tf.mul(dy, factor) }),
  kernels: {
    wasm: ({ heap, inputs: { x }, attrs: { k, convention, kept, dropped } }) => {
      const [outer, size, inner] = x.shape as [number, number, number]
      const { rank, weight } = thresholdRank(size, k, convention)
      const [y, factor] = [heap.output(x.shape), heap.output(x.shape)]
      const words = 17 * ((size + 7) & ~7) + 2048 + 16
      const exact = convention === 'count' ? 1 : 0
      heap.scratch(words * 4, (scratch) =>
        heap
          .kernels(kernels)
          .sparseTopK(
            ...([heap.pointer(x), y.pointer, factor.pointer, scratch, outer, size, inner] as const),
            ...([rank, weight, exact, kept, dropped] as const),
          ),
      )
      return [y, factor]
    },
    webgpu: selectOnWebgpu,
  },
})
