/**
 * Softmax cross entropy in one pass forward and one backward: for each row of logits, the sum over labels times
 * (log sum e^x - x).
 */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '../define-op/define-op'
import { kernels } from '../generated/kernels'
import type { WasmHeap } from '../heap/wasm-heap'
import { rowsOf } from './rows-of'

interface Inputs {
  /** [..., n] */
  logits: tf.Tensor
  /** float32 [..., n] */
  labels?: tf.Tensor
  /** Instead: int32 [...], a class each, or a number outside of 0 to n - 1 for none. */
  classes?: tf.Tensor
}

/** Nanoseconds of an element. */
const costs = { forward: 2, backward: 2 }

/** One-hot where classes are given. */
export const labelRows = (x: tf.Tensor, { labels, classes }: Omit<Inputs, 'logits'>): tf.Tensor =>
  labels ??
  tf.cast(tf.equal(tf.expandDims(classes!, -1), tf.range(0, x.shape.at(-1)!, 1, 'int32')), 'float32')

/** Addresses of labels and classes, of which one is 0, and of the part from a row on. */
export function labelPointers(heap: WasmHeap, { labels, classes }: Omit<Inputs, 'logits'>, n: number) {
  const [rows, ids] = [labels ? heap.pointer(labels) : 0, classes ? heap.pointer(classes) : 0]
  return (row: number) => [rows && rows + row * n * 4, ids && ids + row * 4] as const
}

const forward = defineOp<Inputs, void, [loss: tf.Tensor, logSums: tf.Tensor]>({
  name: 'backends/SoftmaxCrossEntropy',
  returns: 'first',
  reference: ({ logits, ...given }) => {
    const logSums = tf.logSumExp(logits, -1, true)
    const rows = labelRows(logits, given)
    // A masked logit, minus infinity, costs nothing where its label is 0.
    const surprise = tf.where(tf.notEqual(rows, 0), tf.sub(logSums, logits), 0)
    return [tf.sum(tf.mul(rows, surprise), -1), tf.squeeze(logSums, [-1])]
  },
  gradient: ({ dy, inputs: { logits, labels, classes }, outputs: [, logSums] }) => ({
    logits: backward({ logits, logSums, dy, ...(labels ? { labels } : { classes: classes! }) }),
    labels: () => tf.mul(tf.expandDims(dy, -1), tf.sub(tf.expandDims(logSums, -1), logits)),
  }),
  kernels: {
    wasm: ({ heap, inputs: { logits, ...given } }) => {
      const { rows, n } = rowsOf(logits)
      const shape = logits.shape.slice(0, -1)
      const [loss, logSums] = [heap.output(shape), heap.output(shape)]
      if (rows === 0) return [loss, logSums]
      const [x, labelsFrom] = [heap.pointer(logits), labelPointers(heap, given, n)]
      heap.parallelFor(kernels, 'softmaxCrossEntropy', {
        ...{ length: rows, cost: costs.forward * n },
        parameters: (row, count) => [
          ...([x + row * n * 4, ...labelsFrom(row)] as const),
          ...([loss.pointer + row * 4, logSums.pointer + row * 4, count, n] as const),
        ],
      })
      return [loss, logSums]
    },
  },
})

const backward = defineOp<Inputs & { logSums: tf.Tensor; dy: tf.Tensor }, void, tf.Tensor>({
  name: 'backends/SoftmaxCrossEntropyGradient',
  // dy (softmax(x) (sum of labels) - labels)
  reference: ({ logits, logSums, dy, ...given }) => {
    const rows = labelRows(logits, given)
    const softmax = tf.exp(tf.sub(logits, tf.expandDims(logSums, -1)))
    return tf.mul(tf.expandDims(dy, -1), tf.sub(tf.mul(softmax, tf.sum(rows, -1, true)), rows))
  },
  kernels: {
    wasm: ({ heap, inputs: { logits, logSums, dy, ...given } }) => {
      const { rows, n } = rowsOf(logits)
      const dx = heap.output(logits.shape)
      if (rows === 0) return dx
      const [x, sums, d] = [logits, logSums, dy].map(heap.pointer) as [number, number, number]
      const labelsFrom = labelPointers(heap, given, n)
      heap.parallelFor(kernels, 'softmaxCrossEntropyGradient', {
        ...{ length: rows, cost: costs.backward * n },
        parameters: (row, count) => [
          ...([x + row * n * 4, ...labelsFrom(row), sums + row * 4, d + row * 4] as const),
          ...([dx.pointer + row * n * 4, count, n] as const),
        ],
      })
      return dx
    },
  },
})

/** The ops behind {@link softmaxCrossEntropy}, for tests. */
export const softmaxCrossEntropyOps = { forward, backward }

/**
 * The cross entropy between labels and softmax(logits), of each row apart: its sum or mean is up to the caller. The gradient is exact
 * also for labels that do not add up to 1; that of `tf.losses.softmaxCrossEntropy` is not.
 *
 * @param labels float32 [..., n], a distribution per row; or int32 [...], a class per row. A class outside of 0 to n - 1, say -1 for
 *   padding, is none: its loss and gradient are 0.
 * @param logits float32 [..., n], n at least 1.
 * @returns float32 [...]
 * @throws when the shapes do not fit.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { softmaxCrossEntropy, useBackend } from '@tfgraft/backends'
 *
 * await useBackend('wasm')
 * const logits = tf.zeros([3, 4])
 * softmaxCrossEntropy(tf.tensor1d([0, 3, -1], 'int32'), logits).print() // [1.386, 1.386, 0]: log 4
 * ```
 */
export function softmaxCrossEntropy(labels: tf.Tensor, logits: tf.Tensor): tf.Tensor {
  const n = logits.shape.at(-1)
  const isClasses = labels.dtype === 'int32' && labels.rank === logits.rank - 1
  const wanted = isClasses ? logits.shape.slice(0, -1) : logits.shape
  if (!n || !tf.util.arraysEqual(labels.shape, wanted))
    throw new Error(
      "softmaxCrossEntropy: `labels` must have the shape of `logits`, or be int32 without logits' last axis. " +
        `Received labels=${labels.dtype} [${labels.shape}], logits=[${logits.shape}].`,
    )
  if (isClasses) return forward({ logits, classes: labels })
  return tf.tidy(() => forward({ logits, labels: tf.cast(labels, 'float32') }))
}
