/**
 * Conjugate gradient with one system over all weights of a layer, for any linear map.
 *
 *     (A'A + I/tau) D = A'G, started at D = 0; the denominators and the stop are those of `block.ts`.
 *
 * The curvature p'(A'A + I/tau)p is |Ap|^2 + |p|^2 / tau, so the last step does not need A'A p itself.
 */
import * as tf from '@tensorflow/tfjs-core'
import { cgEpsilon } from './block'

const squaredNorm = (parts: tf.Tensor[]) => tf.addN(parts.map((part) => tf.sum(tf.square(part))))

/** |A p|^2 as a scalar and, when `wanted`, A'A p; p has one tensor per weight. */
export type NormalOperator = (p: tf.Tensor[], wanted: boolean) => { energy: tf.Tensor; product: tf.Tensor[] }

/** The operator of a map and its adjoint: A'A p costs one of each. */
export const fromMap =
  (
    map: (weights: tf.Tensor[]) => tf.Tensor[],
    adjoint: (outputs: tf.Tensor[]) => tf.Tensor[],
  ): NormalOperator =>
  (p, wanted) => {
    const image = map(p)
    return { energy: squaredNorm(image), product: wanted ? adjoint(image) : [] }
  }

export interface FlatCgOptions {
  /** The products with A that a step needs. */
  normal: NormalOperator
  /** A'G, one tensor per weight. */
  rhs: tf.Tensor[]
  tau: tf.Scalar
  steps: number
  tolerance: number
}

export type FlatCgResult = {
  solution: tf.Tensor[]
  /** Steps taken before the stop, a scalar. */
  iterations: tf.Scalar
}

export function flatConjugateGradient(options: FlatCgOptions): FlatCgResult {
  const { normal, rhs, tau, steps, tolerance } = options
  return tf.tidy(() => {
    let residual = rhs
    let direction = rhs
    let solution = rhs.map((part) => tf.zerosLike(part))
    let squared = squaredNorm(residual)
    const goal = tf.mul(squared, tolerance)
    let active: tf.Tensor = tf.scalar(1)
    let iterations: tf.Tensor = tf.scalar(0)
    for (let step = 1; ; step++) {
      const { energy, product } = normal(direction, step < steps)
      const curvature = tf.add(energy, tf.div(squaredNorm(direction), tau))
      const alpha = tf.mul(active, tf.div(squared, tf.add(curvature, cgEpsilon)))
      solution = solution.map((part, i) => tf.add(part, tf.mul(direction[i]!, alpha)))
      iterations = tf.add(iterations, active)
      if (step === steps) return { solution, iterations: iterations as tf.Scalar }
      residual = residual.map((part, i) =>
        tf.sub(part, tf.mul(tf.add(product[i]!, tf.div(direction[i]!, tau)), alpha)),
      )
      const next = squaredNorm(residual)
      active = tf.mul(active, tf.cast(tf.greaterEqual(next, goal), 'float32'))
      const beta = tf.div(next, tf.add(squared, cgEpsilon))
      direction = residual.map((part, i) => tf.add(part, tf.mul(direction[i]!, beta)))
      squared = next
    }
  })
}
