/** Batch normalisation of the parts of a batch, on any channel axis and with or without an affine. */
import * as tf from '@tensorflow/tfjs-core'
import { normalizeParts } from './op'

/** The affine of one part: null where the layer has no scale or no centre. */
export interface Affine {
  gamma: tf.Tensor1D | null // [channels]
  beta: tf.Tensor1D | null // [channels]
}

/** What a part's rows said about each channel. */
export interface PartStatistics {
  mean: tf.Tensor1D // [channels]
  /** Biased: divided by `count`. */
  variance: tf.Tensor1D // [channels]
  /** Values per channel. */
  count: number
}

/** One part of a batch. */
export interface Part {
  /** Rows, at least 1. */
  size: number
  affine: Affine
}

export interface NormalizeOptions {
  /** Channel axis, from 0, not the batch axis. */
  axis: number
  epsilon: number
}

/** Moves an axis to the end. */
function channelsLast(x: tf.Tensor, axis: number): tf.Tensor {
  if (axis === x.rank - 1) return x
  const axes = x.shape.map((_, i) => i)
  return tf.transpose(x, [...axes.filter((i) => i !== axis), axis])
}

/** Moves the last axis back to `axis`. */
function channelsBack(x: tf.Tensor, axis: number): tf.Tensor {
  if (axis === x.rank - 1) return x
  const axes = x.shape.map((_, i) => i).slice(0, -1)
  return tf.transpose(x, [...axes.slice(0, axis), x.rank - 1, ...axes.slice(axis)])
}

/** Normalises with the statistics of each part's own rows, and says what these were. */
export function normalizeSplit(
  x: tf.Tensor,
  parts: readonly Part[],
  { axis, epsilon }: NormalizeOptions,
): { output: tf.Tensor; statistics: PartStatistics[] } {
  const channels = x.shape[axis]!
  const rows = (values: (tf.Tensor1D | null)[], missing: 0 | 1) => {
    const each = values.map((value) => value ?? tf.fill([channels], missing))
    return each.length === 1 ? tf.reshape(each[0]!, [1, channels]) : tf.stack(each) // [parts, channels]
  }
  const gamma = rows(
    parts.map(({ affine }) => affine.gamma),
    1,
  )
  const beta = rows(
    parts.map(({ affine }) => affine.beta),
    0,
  )
  const last = channelsLast(x, axis)
  const flat = tf.reshape(last, [x.shape[0]!, -1, channels])
  const split = parts.map((part) => part.size)
  const [y, means, variances] = normalizeParts({ x: flat, gamma, beta }, { split, epsilon })
  const row = (values: tf.Tensor, i: number) =>
    parts.length === 1 ? tf.reshape(values, [channels]) : tf.reshape(tf.slice(values, i, 1), [channels])
  return {
    output: channelsBack(tf.reshape(y, last.shape), axis),
    statistics: parts.map(({ size }, i) => ({
      mean: row(means, i) as tf.Tensor1D,
      variance: row(variances, i) as tf.Tensor1D,
      count: (size * x.size) / (x.shape[0]! * channels),
    })),
  }
}

/** Normalises each part with given statistics, which count as constants. */
export function normalizeSplitWith(
  x: tf.Tensor,
  parts: readonly (Part & { mean: tf.Tensor1D; variance: tf.Tensor1D })[],
  { axis, epsilon }: NormalizeOptions,
): tf.Tensor {
  const broadcast = x.shape.map((size, i) => (i === axis ? size : 1))
  const sizes = parts.map((part) => part.size)
  const inputs = sizes.length === 1 ? [x] : tf.split(x, sizes, 0)
  const outputs = parts.map(({ affine, mean, variance }, i) => {
    const inverse = tf.rsqrt(tf.add(variance, epsilon))
    const scale = affine.gamma ? tf.mul(affine.gamma, inverse) : inverse
    const offset = affine.beta ? tf.sub(affine.beta, tf.mul(mean, scale)) : tf.neg(tf.mul(mean, scale))
    return tf.add(tf.mul(inputs[i]!, tf.reshape(scale, broadcast)), tf.reshape(offset, broadcast))
  })
  return outputs.length === 1 ? outputs[0]! : tf.concat(outputs, 0)
}
