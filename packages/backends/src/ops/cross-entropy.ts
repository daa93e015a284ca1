/**
 * The cross entropies of probabilities that `model.compile` takes by name, 'categoricalCrossentropy' and
 * 'sparseCategoricalCrossentropy', in one pass forward and one backward. As Keras has them: with q = p / sum(p), the sum over labels
 * times -log(clip(q)), where clip keeps within 1e-7 of 0 and 1; for classes, p is clipped before it is divided, too.
 */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '../define-op/define-op'
import { kernels } from '../generated/kernels'
import { rowsOf } from './rows-of'
import { labelPointers, labelRows } from './softmax-cross-entropy'

interface Inputs {
  /** [..., n] */
  p: tf.Tensor
  /** float32 [..., n] */
  labels?: tf.Tensor
  /** Instead: int32 [...], a class each, or a number outside of 0 to n - 1 for none. */
  classes?: tf.Tensor
}

/** `epsilon()` of tfjs-layers, whose default nothing changes. */
const epsilon = 1e-7
const clip = (x: tf.Tensor) => tf.clipByValue(x, epsilon, 1 - epsilon)

/** Nanoseconds of an element. */
const cost = 2

/** @returns the loss of each row, [...]. */
export const crossEntropy = defineOp<Inputs, void, tf.Tensor>({
  name: 'backends/CrossEntropy',
  reference: ({ p, ...given }) => {
    const c = given.labels ? p : clip(p)
    const q = clip(tf.div(c, tf.sum(c, -1, true)))
    return tf.neg(tf.sum(tf.mul(labelRows(p, given), tf.log(q)), -1))
  },
  gradient: ({ dy, inputs: { p, labels, classes } }) => ({
    p: crossEntropyGradient({ p, dy, ...(labels ? { labels } : { classes: classes! }) }),
    labels: () => tf.mul(tf.expandDims(dy, -1), tf.neg(tf.log(clip(tf.div(p, tf.sum(p, -1, true)))))),
  }),
  kernels: {
    wasm: ({ heap, inputs: { p, ...given } }) => {
      const { rows, n } = rowsOf(p)
      const loss = heap.output(p.shape.slice(0, -1))
      if (rows === 0) return loss
      const [x, labelsFrom] = [heap.pointer(p), labelPointers(heap, given, n)]
      heap.parallelFor(kernels, 'crossEntropy', {
        ...{ length: rows, cost: cost * n },
        parameters: (row, count) => [
          ...([x + row * n * 4, ...labelsFrom(row), loss.pointer + row * 4, count, n, epsilon] as const),
        ],
      })
      return loss
    },
  },
})

/** With g = -labels / q where the clipping of q does nothing, else 0: dp = dy (g - sum of g q) / sum(p). */
export const crossEntropyGradient = defineOp<Inputs & { dy: tf.Tensor }, void, tf.Tensor>({
  name: 'backends/CrossEntropyGradient',
  reference: ({ p, dy, ...given }) => {
    const isWithin = (x: tf.Tensor) =>
      tf.cast(tf.logicalAnd(tf.greaterEqual(x, epsilon), tf.lessEqual(x, 1 - epsilon)), 'float32')
    const c = given.labels ? p : clip(p)
    const sum = tf.sum(c, -1, true)
    const q = tf.div(c, sum)
    const pulls = tf.mul(labelRows(p, given), isWithin(q)) // -g q
    const dc = tf.div(tf.sub(tf.sum(pulls, -1, true), tf.divNoNan(pulls, q)), sum)
    return tf.mul(tf.expandDims(dy, -1), given.labels ? dc : tf.mul(dc, isWithin(p)))
  },
  kernels: {
    wasm: ({ heap, inputs: { p, dy, ...given } }) => {
      const { rows, n } = rowsOf(p)
      const dp = heap.output(p.shape)
      if (rows === 0) return dp
      const [x, d, labelsFrom] = [heap.pointer(p), heap.pointer(dy), labelPointers(heap, given, n)]
      heap.parallelFor(kernels, 'crossEntropyGradient', {
        ...{ length: rows, cost: cost * n },
        parameters: (row, count) => [
          ...([x + row * n * 4, ...labelsFrom(row), d + row * 4, dp.pointer + row * n * 4] as const),
          ...([count, n, epsilon] as const),
        ],
      })
      return dp
    },
  },
})
