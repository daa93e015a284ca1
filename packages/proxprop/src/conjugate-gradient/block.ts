/**
 * Block conjugate gradient for dense layers: one step size per output unit, with products by a Gram matrix.
 *
 * All iterates of CG on (A'A + I/tau) D = A'G, started at zero, have the form D = A'U, so that the loop can run
 * in either of two small spaces, with one product by a Gram matrix M per step:
 *
 *     primal, M = A'A [d, d]:  r = A'G - (M + I/tau) D        |r|^2 = r'r       p'(M + I/tau)p = p'(Mp + p/tau)
 *     dual,   M = AA' [n, n]:  r = A's, s = G - (M + I/tau) U  |r|^2 = s'Ms      p = A't: t'M(Mt + t/tau)
 *
 * Both are the textbook's iteration in exact arithmetic, with the reference implementation's denominators
 * (epsilon 1e-6) and stop: max_j |r_j|^2 < tolerance mean_j |r0_j|^2, checked after every step but the last.
 * Nothing is read back: after the stop, steps of length zero follow.
 */
import * as tf from '@tensorflow/tfjs-core'

export const cgEpsilon = 1e-6

export interface BlockCgOptions {
  /** v -> M v, with the Gram matrix A'A [d, d] in primal form, AA' [n, n] in dual form. */
  multiply: (v: tf.Tensor2D) => tf.Tensor
  /** A'G in primal form, G in dual form, with one column per output unit. */
  rhs: tf.Tensor2D
  tau: tf.Scalar
  form: 'primal' | 'dual'
  steps: number
  tolerance: number
}

export type BlockCgResult = {
  /** D in primal form, U in dual form; the shape of `rhs`. */
  solution: tf.Tensor2D
  /** Steps taken before the stop, a scalar. */
  iterations: tf.Scalar
}

export function blockConjugateGradient(options: BlockCgOptions): BlockCgResult {
  const { multiply, rhs, tau, form, steps, tolerance } = options
  return tf.tidy(() => {
    const columnDot = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(a, b), 0, true) // [1, m]
    const weighted = (v: tf.Tensor, mv: tf.Tensor) => (form === 'dual' ? mv : v)
    let residual: tf.Tensor = rhs
    let image: tf.Tensor = multiply(rhs) // M r
    let direction = residual
    let directionImage = image // M p
    let solution: tf.Tensor = tf.zerosLike(rhs)
    let squared = tf.relu(columnDot(residual, weighted(residual, image)))
    const goal = tf.mul(tf.mean(squared), tolerance)
    let active: tf.Tensor = tf.scalar(1)
    let iterations: tf.Tensor = tf.scalar(0)
    for (let step = 1; ; step++) {
      const shifted = tf.add(directionImage, tf.div(direction, tau)) // (M + I/tau) p
      const curvature = columnDot(weighted(direction, directionImage), shifted)
      const alpha = tf.mul(active, tf.div(squared, tf.add(curvature, cgEpsilon)))
      solution = tf.add(solution, tf.mul(direction, alpha))
      iterations = tf.add(iterations, active)
      if (step === steps) return { solution, iterations } as BlockCgResult
      residual = tf.sub(residual, tf.mul(shifted, alpha))
      image = multiply(residual as tf.Tensor2D)
      const next = tf.relu(columnDot(residual, weighted(residual, image)))
      active = tf.mul(active, tf.cast(tf.greaterEqual(tf.max(next), goal), 'float32'))
      const beta = tf.div(next, tf.add(squared, cgEpsilon))
      direction = tf.add(residual, tf.mul(direction, beta))
      directionImage = tf.add(image, tf.mul(directionImage, beta))
      squared = next
    }
  })
}
