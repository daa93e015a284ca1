/**
 * (A + ridge I)^-1 B for a symmetric positive semidefinite A: the linear algebra behind the exact proximal step.
 */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp, type Op } from '@tfgraft/backends'
import { kernels } from '../generated/kernels'
import { solveSpdReference } from './reference'

interface Inputs {
  /** [n, n] */
  a: tf.Tensor2D
  /** [n, m] */
  b: tf.Tensor2D
  /** A scalar of at least 0. */
  ridge: tf.Scalar
}

/** The op behind {@link solveSpd}, for tests. */
export const solveSpdOp: Op<Inputs, void, tf.Tensor2D> = defineOp<Inputs, void, tf.Tensor2D>({
  name: 'proxprop/SolveSpd',
  reference: ({ a, b, ridge }) => solveSpdReference(a, b, ridge),
  // A X = B: dB = A^-1 dX, dA = -dB X'
  gradient: ({ dy, inputs: { a, ridge }, outputs: [x] }) => {
    const db = solveSpdOp({ a, b: dy as tf.Tensor2D, ridge })
    const da = tf.neg(tf.matMul(db, x as tf.Tensor2D, false, true))
    return { a: da, b: db, ridge: () => tf.sum(tf.mul(da, tf.eye(a.shape[0]))) }
  },
  kernels: {
    wasm: ({ heap, inputs: { a, b, ridge } }) => {
      const [n, m] = b.shape
      const x = heap.output(b.shape)
      const padded = (n + 3) & ~3
      const { solveSpd } = heap.kernels(kernels)
      heap.scratch(4 * padded * (padded + 9), (work) => {
        solveSpd(heap.pointer(a), heap.pointer(b), heap.pointer(ridge), x.pointer, work, n, m)
      })
      return x
    },
  },
})

export interface SolveSpdOptions {
  /** What is added to A's diagonal, at least 0; a scalar tensor stays where it is. @default 0 */
  ridge?: number | tf.Scalar
}

/**
 * Solves (A + ridge I) X = B by block elimination, on the device, without reading anything back.
 *
 * A ridge below 2^-23 times A's trace is raised to it, since float32 cannot tell a smaller one from rounding: a
 * singular A gives a finite X, with A X = B where there is such an X. Of the many there are then, float32 decides which:
 * a ridge of 1e-4 times A's trace or more gives the shortest.
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
  return tf.tidy(() => solveSpdOp({ a, b, ridge: typeof ridge === 'number' ? tf.scalar(ridge) : ridge }))
}
