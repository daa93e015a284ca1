/**
 * Batch normalisation of a batch whose consecutive parts have their own statistics and, perhaps, their own affine.
 *
 *     y = gamma_i (x - mean_i) / sqrt(variance_i + epsilon) + beta_i      for the rows of part i
 *
 * The mean and the (biased) variance are over all axes but the channel axis. One differentiable op for the whole
 * batch: composed from tf ops, the parts would cost a slice, its padded gradient and a sum each.
 */
import * as tf from '@tensorflow/tfjs-core'

/** The affine of one part: null where the layer has no scale or no centre. */
export interface Affine {
  gamma: tf.Tensor1D | null // [channels]
  beta: tf.Tensor1D | null // [channels]
}

/** What a part's rows said about each channel. The caller disposes both tensors. */
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

/** Cuts `x` into consecutive parts of the first axis. A single part is `x` itself. */
function rows(x: tf.Tensor, sizes: number[]): tf.Tensor[] {
  return sizes.length === 1 ? [x] : tf.split(x, sizes, 0)
}

/** Normalises with the statistics of each part's own rows, and says what these were. */
export function normalizeSplit(
  x: tf.Tensor,
  parts: readonly Part[],
  { axis, epsilon }: NormalizeOptions,
): { output: tf.Tensor; statistics: PartStatistics[] } {
  const sizes = parts.map((part) => part.size)
  const channels = x.shape[axis]!
  const reduced = x.shape.map((_, i) => i).filter((i) => i !== axis)
  const broadcast = x.shape.map((size, i) => (i === axis ? size : 1))
  const count = (part: tf.Tensor) => part.size / channels
  const statistics: PartStatistics[] = []
  // Every part gives two inputs; the missing ones of an affine are ones and zeros, which nothing differentiates.
  const gammas = parts.map(({ affine }) => affine.gamma ?? tf.ones<tf.Rank.R1>([channels]))
  const betas = parts.map(({ affine }) => affine.beta ?? tf.zeros<tf.Rank.R1>([channels]))

  const op = tf.customGrad((...args) => {
    const save = args.at(-1) as tf.GradSaveFunc
    const [input, ...affines] = args.slice(0, -1) as tf.Tensor[]
    const outputs: tf.Tensor[] = []
    const inverses: tf.Tensor[] = []
    rows(input!, sizes).forEach((part, i) => {
      const { mean, variance } = tf.moments(part, reduced, true)
      const inverse = tf.rsqrt(tf.add(variance, epsilon))
      const gamma = tf.reshape(affines[i]!, broadcast)
      const beta = tf.reshape(affines[parts.length + i]!, broadcast)
      outputs.push(tf.add(tf.mul(tf.sub(part, mean), tf.mul(gamma, inverse)), beta))
      inverses.push(mean, inverse)
      statistics.push({
        mean: tf.keep(tf.reshape(mean, [channels])),
        variance: tf.keep(tf.reshape(variance, [channels])),
        count: count(part),
      })
    })
    save([input!, ...affines.slice(0, parts.length), ...inverses])
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [saveInput, ...others] = saved
      const inputs = rows(saveInput!, sizes)
      const [dxs, dgammas, dbetas]: tf.Tensor[][] = [[], [], []]
      rows(dy, sizes).forEach((upstream, i) => {
        const gamma = tf.reshape(others[i]!, broadcast)
        const [mean, inverse] = others.slice(parts.length + 2 * i)
        const normalized = tf.mul(tf.sub(inputs[i]!, mean!), inverse!)
        const dbeta = tf.sum(upstream, reduced, true)
        const dgamma = tf.sum(tf.mul(upstream, normalized), reduced, true)
        // dx = gamma / sqrt(var + eps) (dy - mean(dy) - normalized mean(dy normalized))
        const scale = 1 / count(upstream)
        const projected = tf.add(tf.mul(normalized, tf.mul(dgamma, scale)), tf.mul(dbeta, scale))
        dxs!.push(tf.mul(tf.sub(upstream, projected), tf.mul(gamma, inverse!)))
        dgammas!.push(tf.reshape(dgamma, [channels]))
        dbetas!.push(tf.reshape(dbeta, [channels]))
      })
      return [tf.concat(dxs!, 0), ...dgammas!, ...dbetas!]
    }
    return { value: tf.concat(outputs, 0), gradFunc }
  })
  return { output: op(x, ...gammas, ...betas), statistics }
}

/** Normalises each part with given statistics, which count as constants. */
export function normalizeSplitWith(
  x: tf.Tensor,
  parts: readonly (Part & { mean: tf.Tensor1D; variance: tf.Tensor1D })[],
  { axis, epsilon }: NormalizeOptions,
): tf.Tensor {
  const broadcast = x.shape.map((size, i) => (i === axis ? size : 1))
  const inputs = rows(
    x,
    parts.map((part) => part.size),
  )
  const outputs = parts.map(({ affine, mean, variance }, i) => {
    const inverse = tf.rsqrt(tf.add(variance, epsilon))
    const scale = affine.gamma ? tf.mul(affine.gamma, inverse) : inverse
    const offset = affine.beta ? tf.sub(affine.beta, tf.mul(mean, scale)) : tf.neg(tf.mul(mean, scale))
    return tf.add(tf.mul(inputs[i]!, tf.reshape(scale, broadcast)), tf.reshape(offset, broadcast))
  })
  return outputs.length === 1 ? outputs[0]! : tf.concat(outputs, 0)
}
