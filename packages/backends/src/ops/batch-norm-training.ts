/**
 * Batch normalisation by the batch's own statistics, of the last axis: y = (x - mean) / sqrt(variance + epsilon) * scale +
 * offset. One op instead of tf.moments and tf.batchNorm, whose gradient makes twenty passes over the batch.
 *
 * Paper: Ioffe and Szegedy, "Batch Normalization", 2015, https://arxiv.org/abs/1502.03167, algorithm 1.
 */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '../define-op/define-op'
import { kernels } from '../generated/kernels'
import type { HeapTensor } from '../heap/wasm-heap'
import { rowsOf } from './rows-of'

export interface BatchNormTrainingInputs {
  /** [..., n] */
  x: tf.Tensor
  /** [n] */
  scale?: tf.Tensor
  /** [n] */
  offset?: tf.Tensor
}

export interface BatchNormTrainingOptions {
  epsilon: number
}

type Three<T> = [T, T, T]

/** Nanoseconds, of one pass. */
const costPerElement = 0.3

/** @returns the normalised batch, and its means and variances, [n]. */
export const batchNormTraining = defineOp<
  BatchNormTrainingInputs,
  BatchNormTrainingOptions,
  [y: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor]
>({
  name: 'backends/BatchNormTraining',
  reference: ({ x, scale, offset }, { epsilon }) => {
    const { mean, variance } = tf.moments(
      x,
      x.shape.slice(0, -1).map((_, axis) => axis),
    )
    const z = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon)))
    const scaled = scale ? tf.mul(z, scale) : z
    return [offset ? tf.add(scaled, offset) : scaled, mean, variance]
  },
  gradient: ({ dys, inputs: { x, scale }, outputs: [, mean, variance], attrs }) => {
    const [dy, dmean, dvariance] = dys as Three<tf.Tensor>
    const given = { x, mean, variance, dy, dmean, dvariance, ...(scale ? { scale } : {}) }
    const [dx, dscale, doffset] = batchNormTrainingGradient(given, attrs)
    return { x: dx, scale: dscale, offset: doffset }
  },
  kernels: {
    wasm: ({ heap, inputs: { x, scale, offset }, attrs: { epsilon } }) => {
      const { rows, n } = rowsOf(x)
      const wasm = heap.kernels(kernels)
      const [y, mean, variance] = [x.shape, [n], [n]].map((shape) => heap.output(shape)) as Three<HeapTensor>
      heap.scratch(2 * n * 4, (scratch) => {
        const second = scratch + n * 4
        wasm.columnMoments(heap.pointer(x), mean.pointer, variance.pointer, scratch, rows, n)
        const [factors, zeros] = [heap.floats(scratch, n), heap.floats(second, n)]
        const [v, s] = [heap.floats(variance.pointer, n), scale && heap.floats(heap.pointer(scale), n)]
        for (let j = 0; j < n; j++) factors[j] = (s?.[j] ?? 1) / Math.sqrt(v[j]! + epsilon)
        zeros.fill(0)
        const shift = offset ? heap.pointer(offset) : second
        const px = heap.pointer(x)
        heap.parallelFor(kernels, 'normalizeColumns', {
          ...{ length: rows, cost: n * costPerElement, multiple: 4 },
          parameters: (row, count) => [
            ...([px + row * n * 4, mean.pointer, scratch, shift, y.pointer + row * n * 4, count, n] as const),
          ],
        })
      })
      return [y, mean, variance]
    },
  },
})

interface GradientInputs {
  x: tf.Tensor
  scale?: tf.Tensor
  mean: tf.Tensor
  variance: tf.Tensor
  dy: tf.Tensor
  dmean: tf.Tensor
  dvariance: tf.Tensor
}

const batchNormTrainingGradient = defineOp<
  GradientInputs,
  BatchNormTrainingOptions,
  [dx: tf.Tensor, dscale: tf.Tensor, doffset: tf.Tensor]
>({
  name: 'backends/BatchNormTrainingGradient',
  // r = 1 / sqrt(variance + epsilon), z = (x - mean) r, N rows:
  // dx = scale r (dy - mean(dy) - z mean(dy z)) + dmean / N + dvariance 2 (x - mean) / N
  reference: ({ x, scale, mean, variance, dy, dmean, dvariance }, { epsilon }) => {
    const { rows } = rowsOf(x)
    const overRows = (t: tf.Tensor) =>
      tf.sum(
        t,
        t.shape.slice(0, -1).map((_, axis) => axis),
      )
    const inverse = tf.rsqrt(tf.add(variance, epsilon)) // [n]
    const centred = tf.sub(x, mean)
    const z = tf.mul(centred, inverse)
    const [doffset, dscale] = [overRows(dy), overRows(tf.mul(dy, z))]
    const pulled = tf.div(tf.add(doffset, tf.mul(z, dscale)), rows)
    const direct = tf.mul(tf.sub(dy, pulled), scale ? tf.mul(inverse, scale) : inverse)
    const byStatistics = tf.div(tf.add(dmean, tf.mul(tf.mul(centred, dvariance), 2)), rows)
    return [tf.add(direct, byStatistics), dscale, doffset]
  },
  kernels: {
    wasm: ({ heap, inputs, attrs: { epsilon } }) => {
      const { x, scale, dy } = inputs
      const { rows, n } = rowsOf(x)
      const wasm = heap.kernels(kernels)
      const [dx, dscale, doffset] = [x.shape, [n], [n]].map((shape) =>
        heap.output(shape),
      ) as Three<HeapTensor>
      heap.scratch(3 * n * 4, (a) => {
        const [b, c] = [a + n * 4, a + 2 * n * 4]
        wasm.columnGradientSums(
          ...([heap.pointer(x), heap.pointer(dy), heap.pointer(inputs.mean)] as const),
          ...([doffset.pointer, dscale.pointer, a, rows, n] as const),
        )
        const row = (pointer: number) => heap.floats(pointer, n)
        const [mean, variance] = [row(heap.pointer(inputs.mean)), row(heap.pointer(inputs.variance))]
        const [dmean, dvariance] = [row(heap.pointer(inputs.dmean)), row(heap.pointer(inputs.dvariance))]
        const scales = scale && row(heap.pointer(scale))
        const [sums, products, as, bs, cs] = [doffset.pointer, dscale.pointer, a, b, c].map(row) as Five
        // dx = a dy + b x + c, by column.
        for (let j = 0; j < n; j++) {
          const inverse = 1 / Math.sqrt(variance[j]! + epsilon)
          const factor = inverse * (scales?.[j] ?? 1)
          const slope = (2 * dvariance[j]! - factor * inverse * inverse * products[j]!) / rows
          as[j] = factor
          bs[j] = slope
          cs[j] = (dmean[j]! - factor * sums[j]!) / rows - slope * mean[j]!
          products[j] = products[j]! * inverse
        }
        const [pdy, px] = [heap.pointer(dy), heap.pointer(x)]
        heap.parallelFor(kernels, 'combineColumns', {
          ...{ length: rows, cost: n * costPerElement, multiple: 4 },
          parameters: (row, count) => {
            const at = row * n * 4
            return [pdy + at, px + at, a, b, c, dx.pointer + at, count, n]
          },
        })
      })
      return [dx, dscale, doffset]
    },
  },
})

type Five = [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array]
