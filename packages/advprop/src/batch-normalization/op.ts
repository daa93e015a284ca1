/**
 * Batch normalisation of a batch whose consecutive parts have their own statistics and affine, as one op.
 *
 *     y = gamma_i (x - mean_i) / sqrt(variance_i + epsilon) + beta_i      for the rows of part i
 *     dx = gamma_i / sqrt(variance_i + epsilon) (dy - mean_i(dy) - xhat mean_i(dy xhat)),   xhat the normalised x
 *
 * Means and the (biased) variance are per channel over all else. One op for the whole batch: composed from tf ops, the
 * parts would cost a slice, its padded gradient and a sum each.
 */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '@tfgraft/backends'
import { kernels } from '../generated/kernels'

interface Inputs {
  /** [batch, positions, channels] */
  x: tf.Tensor
  /** [parts, channels] */
  gamma: tf.Tensor
  beta: tf.Tensor
}

interface Attributes {
  /** Rows of the batch per part, at least 1 each. */
  split: readonly number[]
  epsilon: number
}

const FLOAT = 4

/** Consecutive parts of the first axis. A single part is `x` itself. */
const partsOf = (x: tf.Tensor, split: readonly number[]) =>
  split.length === 1 ? [x] : tf.split(x, [...split], 0)

const rowOf = (x: tf.Tensor, i: number) => tf.slice(x, i, 1) // [1, channels]

/** Outputs y, and mean, variance and 1 / sqrt(variance + epsilon), each [parts, channels]. */
export const normalizeParts = defineOp<Inputs, Attributes, [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]>({
  name: 'advprop/SplitBatchNorm',
  reference: ({ x, gamma, beta }, { split, epsilon }) => {
    const results = partsOf(x, split).map((part, i) => {
      const { mean, variance } = tf.moments(part, [0, 1]) // [channels]
      const inverse = tf.rsqrt(tf.add(variance, epsilon))
      const normalized = tf.mul(tf.sub(part, mean), inverse)
      return { y: tf.add(tf.mul(normalized, rowOf(gamma, i)), rowOf(beta, i)), mean, variance, inverse }
    })
    return [
      tf.concat(
        results.map(({ y }) => y),
        0,
      ),
      tf.stack(results.map(({ mean }) => mean)),
      tf.stack(results.map(({ variance }) => variance)),
      tf.stack(results.map(({ inverse }) => inverse)),
    ]
  },
  // The statistics are for the running averages, which nothing differentiates: only dy of y counts.
  gradient: ({ dy, inputs: { x, gamma }, outputs: [, mean, , inverse], attrs: { split } }) => {
    const [dx, dgamma, dbeta] = normalizePartsGradient({ x, dy, gamma, mean, inverse }, { split })
    return { x: dx, gamma: dgamma, beta: dbeta }
  },
  kernels: {
    wasm: ({ heap, inputs: { x, gamma, beta }, attrs: { split, epsilon } }) => {
      const [, positions, channels] = x.shape as [number, number, number]
      const y = heap.output(x.shape)
      const [mean, variance, inverse] = [0, 1, 2].map(() => heap.output(gamma.shape))
      const { normalizePart } = heap.kernels(kernels)
      const [xp, gp, bp] = [x, gamma, beta].map(heap.pointer) as [number, number, number]
      heap.scratch(2 * channels * FLOAT, (partial) => {
        let row = 0
        split.forEach((size, i) => {
          const [at, of] = [row * positions * channels * FLOAT, i * channels * FLOAT]
          const statistics = [mean!.pointer + of, variance!.pointer + of, inverse!.pointer + of] as const
          normalizePart(
            ...([xp + at, gp + of, bp + of, y.pointer + at, ...statistics, partial] as const),
            ...([size * positions, channels, epsilon] as const),
          )
          row += size
        })
      })
      return [y, mean!, variance!, inverse!]
    },
  },
})

interface GradientInputs {
  x: tf.Tensor
  dy: tf.Tensor
  gamma: tf.Tensor
  mean: tf.Tensor
  inverse: tf.Tensor
}

/** Gradients to x, gamma and beta. */
export const normalizePartsGradient = defineOp<
  GradientInputs,
  Pick<Attributes, 'split'>,
  [dx: tf.Tensor, dgamma: tf.Tensor, dbeta: tf.Tensor]
>({
  name: 'advprop/SplitBatchNormGradient',
  reference: ({ x, dy, gamma, mean, inverse }, { split }) => {
    const upstream = partsOf(dy, split)
    const results = partsOf(x, split).map((part, i) => {
      const up = upstream[i]!
      const count = up.size / up.shape.at(-1)!
      const normalized = tf.mul(tf.sub(part, rowOf(mean, i)), rowOf(inverse, i))
      const dbeta = tf.sum(up, [0, 1])
      const dgamma = tf.sum(tf.mul(up, normalized), [0, 1])
      const projected = tf.add(tf.mul(normalized, tf.div(dgamma, count)), tf.div(dbeta, count))
      const dx = tf.mul(tf.sub(up, projected), tf.mul(rowOf(gamma, i), rowOf(inverse, i)))
      return { dx, dgamma, dbeta }
    })
    return [
      tf.concat(
        results.map(({ dx }) => dx),
        0,
      ),
      tf.stack(results.map(({ dgamma }) => dgamma)),
      tf.stack(results.map(({ dbeta }) => dbeta)),
    ]
  },
  kernels: {
    wasm: ({ heap, inputs: { x, dy, gamma, mean, inverse }, attrs: { split } }) => {
      const [, positions, channels] = x.shape as [number, number, number]
      const [dx, dgamma, dbeta] = [heap.output(x.shape), heap.output(gamma.shape), heap.output(gamma.shape)]
      const { normalizePartGradient } = heap.kernels(kernels)
      const [xp, up, gp, mp, ip] = [x, dy, gamma, mean, inverse].map(heap.pointer) as [
        ...[number, number, number, number, number],
      ]
      heap.scratch(3 * channels * FLOAT, (partial) => {
        let row = 0
        split.forEach((size, i) => {
          const [at, of] = [row * positions * channels * FLOAT, i * channels * FLOAT]
          normalizePartGradient(
            ...([xp + at, up + at, gp + of, mp + of, ip + of, dx.pointer + at] as const),
            ...([dgamma.pointer + of, dbeta.pointer + of, partial, size * positions, channels] as const),
          )
          row += size
        })
      })
      return [dx, dgamma, dbeta]
    },
  },
})
