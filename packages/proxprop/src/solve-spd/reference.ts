/**
 * Solves (A + ridge I) X = B for a symmetric positive semidefinite A in plain tf ops, without reading anything back:
 * block elimination, halving A until it is one number.
 */
import * as tf from '@tensorflow/tfjs-core'

/** Distance from 1 to the next float32: below this part of A's trace, a pivot is rounding noise. */
export const epsilon = 2 ** -23

/** @param a [n, n] @param b [n, m] @param ridge a scalar of at least 0 @returns X, [n, m] */
export function solveSpdReference(a: tf.Tensor2D, b: tf.Tensor2D, ridge: tf.Scalar): tf.Tensor2D {
  return tf.tidy(() => {
    const n = a.shape[0]
    const identity = tf.eye(n)
    // A semidefinite A of rank below n has pivots that cancel to rounding noise of either sign. A ridge of
    // epsilon trace(A), about the rounding error of A's largest eigenvalue, keeps them positive.
    const floor = tf.mul(tf.sum(tf.mul(a, identity)), epsilon)
    const effective = tf.maximum(ridge, floor)
    return eliminate(tf.add(a, tf.mul(identity, effective)) as tf.Tensor2D, b, floor as tf.Scalar)
  })
}

/** [P Q; Q' R] [X1; X2] = [B1; B2]: X2 from the Schur complement R - Q' P^-1 Q, then X1. */
function eliminate(a: tf.Tensor2D, b: tf.Tensor2D, floor: tf.Scalar): tf.Tensor2D {
  const n = a.shape[0]
  const m = b.shape[1]
  if (n === 1) return tf.div(b, tf.maximum(a, floor))
  const h = n >> 1
  const p = tf.slice(a, [0, 0], [h, h])
  const q = tf.slice(a, [0, h], [h, n - h])
  const r = tf.slice(a, [h, h], [n - h, n - h])
  const b1 = tf.slice(b, [0, 0], [h, m])
  const b2 = tf.slice(b, [h, 0], [n - h, m])
  const solved = eliminate(p, tf.concat2d([q, b1], 1), floor) // P^-1 [Q, B1]
  const pq = tf.slice(solved, [0, 0], [h, n - h])
  const pb = tf.slice(solved, [0, n - h], [h, m])
  const schur = tf.sub(r, tf.matMul(q, pq, true)) as tf.Tensor2D
  const x2 = eliminate(schur, tf.sub(b2, tf.matMul(q, pb, true)) as tf.Tensor2D, floor)
  return tf.concat2d([tf.sub(pb, tf.matMul(pq, x2)) as tf.Tensor2D, x2], 0)
}
