/**
 * Conjugate gradient for any linear map, from the map and its adjoint alone: one system over all weights.
 *
 *     (A'A + I/tau) D = A'G, started at D = 0; the denominators and the stop are those of `block.ts`.
 *
 * The curvature p'(A'A + I/tau)p is |Ap|^2 + |p|^2 / tau, so the last step needs no adjoint.
 */
import * as tf from '@tensorflow/tfjs-core'
import { cgEpsilon } from './block'

export interface FlatCgOptions {
  /** A: from one tensor per weight to one tensor per use of the layer. */
  map: (weights: tf.Tensor[]) => tf.Tensor[]
  /** A': from one tensor per use to one tensor per weight. */
  adjoint: (outputs: tf.Tensor[]) => tf.Tensor[]
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

const squaredNorm = (parts: tf.Tensor[]) => tf.addN(parts.map((part) => tf.sum(tf.square(part))))

export function flatConjugateGradient(options: FlatCgOptions): FlatCgResult {
  const { map, adjoint, rhs, tau, steps, tolerance } = options
  return tf.tidy(() => {
    let residual = rhs
    let direction = rhs
    let solution = rhs.map((part) => tf.zerosLike(part))
    let squared = squaredNorm(residual)
    const goal = tf.mul(squared, tolerance)
    let active: tf.Tensor = tf.scalar(1)
    let iterations: tf.Tensor = tf.scalar(0)
    for (let step = 1; ; step++) {
      const image = map(direction)
      const curvature = tf.add(squaredNorm(image), tf.div(squaredNorm(direction), tau))
      const alpha = tf.mul(active, tf.div(squared, tf.add(curvature, cgEpsilon)))
      solution = solution.map((part, i) => tf.add(part, tf.mul(direction[i]!, alpha)))
      iterations = tf.add(iterations, active)
      if (step === steps) return { solution, iterations: iterations as tf.Scalar }
      const normal = adjoint(image)
      residual = residual.map((part, i) =>
        tf.sub(part, tf.mul(tf.add(normal[i]!, tf.div(direction[i]!, tau)), alpha)),
      )
      const next = squaredNorm(residual)
      active = tf.mul(active, tf.cast(tf.greaterEqual(next, goal), 'float32'))
      const beta = tf.div(next, tf.add(squared, cgEpsilon))
      direction = residual.map((part, i) => tf.add(part, tf.mul(direction[i]!, beta)))
      squared = next
    }
  })
}
