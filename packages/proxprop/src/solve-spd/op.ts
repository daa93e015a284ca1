/**
 * (A + ridge I)^-1 B for a symmetric positive semidefinite A: the linear algebra behind the exact proximal step.
 */
import * as tf from '@tensorflow/tfjs-core'
import { solveSpdReference } from './reference'

export interface SolveSpdOptions {
  /** What is added to A's diagonal, at least 0; a scalar tensor stays where it is. @default 0 */
  ridge?: number | tf.Scalar
}

/**
 * Solves (A + ridge I) X = B by block elimination, on the device, without reading anything back.
 *
 * A ridge below 2^-23 times A's trace is raised to it, since float32 cannot tell a smaller one from rounding: a
 * singular A gives a finite, regularised X.
 *
 * @param a Symmetric positive semidefinite, [n, n].
 * @param b [n, m]
 * @returns X, [n, m]
 * @throws Error when the shapes do not agree, or `ridge` is a number below 0.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { useBackend } from '@tfgraft/backends'
 * import { solveSpd } from '@tfgraft/proxprop'
 *
 * await useBackend('wasm')
 * solveSpd(tf.tensor2d([[2, 1], [1, 3]]), tf.tensor2d([[3], [4]])).print() // [[1], [1]]
 * ```
 */
export function solveSpd(a: tf.Tensor2D, b: tf.Tensor2D, { ridge = 0 }: SolveSpdOptions = {}): tf.Tensor2D {
  if (a.rank !== 2 || b.rank !== 2 || a.shape[0] !== a.shape[1] || a.shape[0] !== b.shape[0])
    throw new Error(
      `solveSpd: \`a\` must be [n, n] and \`b\` [n, m]. Received a=[${a.shape}], b=[${b.shape}].`,
    )
  if (typeof ridge === 'number' && !(ridge >= 0))
    throw new Error(`solveSpd: \`ridge\` must be at least 0. Received ridge=${ridge}.`)
  return tf.tidy(() => solveSpdReference(a, b, typeof ridge === 'number' ? tf.scalar(ridge) : ridge))
}
