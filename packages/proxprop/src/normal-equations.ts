/**
 * The normal equations of a layer with kernel K [d, m] and bias, from A'A and A's column sums alone:
 *
 *     | A'A + I/tau   A'1       | | dK |   | A'G |
 *     | 1'A           n + 1/tau | | db | = | 1'G |       n rows; without the second line when the bias is no unknown
 */
import * as tf from '@tensorflow/tfjs-core'
import type { NormalOperator } from './conjugate-gradient/flat'
import { solveSpd } from './solve-spd/op'

export interface Gram {
  /** A'A, [d, d] */
  gram: tf.Tensor2D
  /** A'1, [d] */
  sums: tf.Tensor1D
  /** Rows of A. */
  count: number
}

const total = (tensors: tf.Tensor[]) => (tensors.length === 1 ? tensors[0]! : tf.addN(tensors))

/** The sums over several uses of one layer. */
export const addGrams = (grams: Gram[]): Gram => ({
  gram: total(grams.map(({ gram }) => gram)) as tf.Tensor2D,
  sums: total(grams.map(({ sums }) => sums)) as tf.Tensor1D,
  count: grams.reduce((rows, { count }) => rows + count, 0),
})

/** Products for conjugate gradient, on kernel and, where it is an unknown, bias. */
export function fromGram({ gram, sums, count }: Gram, withBias: boolean): NormalOperator {
  const ones = tf.reshape(sums, [1, -1]) as tf.Tensor2D
  return ([kernel, bias]) => {
    const columns = tf.reshape(kernel!, [gram.shape[0], -1]) as tf.Tensor2D
    const inner = tf.matMul(gram, columns)
    if (!withBias) {
      const product = tf.reshape(inner, kernel!.shape)
      return {
        energy: tf.sum(tf.mul(kernel!, product)),
        product: bias ? [product, tf.zerosLike(bias)] : [product],
      }
    }
    const row = tf.reshape(bias!, [1, -1]) as tf.Tensor2D
    const forKernel = tf.reshape(tf.add(inner, tf.matMul(ones, row, true)), kernel!.shape)
    const forBias = tf.reshape(tf.add(tf.matMul(ones, columns), tf.mul(row, count)), bias!.shape)
    const energy = tf.add(tf.sum(tf.mul(kernel!, forKernel)), tf.sum(tf.mul(bias!, forBias)))
    return { energy, product: [forKernel, forBias] }
  }
}

/** Solves them. `gradient` has A'G in the kernel's shape and, if the layer has a bias, 1'G. */
export function solveNormalEquations(
  { gram, sums, count }: Gram,
  [kernel, bias]: tf.Tensor[],
  tau: tf.Scalar,
  withBias: boolean,
): tf.Tensor[] {
  const d = gram.shape[0]
  const ridge = tf.reciprocal(tf.reshape(tau, [])) as tf.Scalar
  const rhs = tf.reshape(kernel!, [d, -1]) as tf.Tensor2D
  if (!withBias) {
    const update = tf.reshape(solveSpd(gram, rhs, { ridge }), kernel!.shape)
    return bias ? [update, bias] : [update]
  }
  const column = tf.reshape(sums, [d, 1]) as tf.Tensor2D
  const corner = tf.fill([1, 1], count) as tf.Tensor2D
  const system = tf.concat2d(
    [tf.concat2d([gram, column], 1), tf.concat2d([tf.reshape(column, [1, d]) as tf.Tensor2D, corner], 1)],
    0,
  )
  const solution = solveSpd(system, tf.concat2d([rhs, tf.reshape(bias!, [1, -1]) as tf.Tensor2D], 0), {
    ridge,
  })
  const [forKernel, forBias] = tf.split(solution, [d, 1]) as [tf.Tensor2D, tf.Tensor2D]
  return [tf.reshape(forKernel, kernel!.shape), tf.reshape(forBias, bias!.shape)]
}
