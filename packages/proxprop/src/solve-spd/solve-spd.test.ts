import * as tf from '@tensorflow/tfjs-core'
import {
  describeBackends,
  describeOp,
  expectClose,
  expectGradients,
  expectNoTensorLeak,
} from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { solveSpd, solveSpdOp } from './op'

/** A'A + identity, from A of `rank` rows. */
const spd = (n: number, rank = n) => {
  const a = tf.randomNormal([rank, n], 0, 1, 'float32', n) as tf.Tensor2D
  return tf.add(tf.matMul(a, a, true), tf.eye(n)) as tf.Tensor2D
}
const rhs = (n: number, m: number) => tf.randomNormal([n, m], 0, 1, 'float32', m) as tf.Tensor2D

const sizes = [1, 2, 3, 4, 5, 7, 8, 13, 32, 65].flatMap((n) => [1, 3, 8, 17].map((m) => [n, m] as const))

describeOp(solveSpdOp, [
  ...sizes.map(([n, m]) => ({
    title: `${n} unknowns, ${m} right-hand sides`,
    inputs: () => tf.tidy(() => ({ a: spd(n), b: rhs(n, m), ridge: tf.scalar(0.5) })),
    attrs: undefined,
    // The reference reads one triangle, its gradient is one of no symmetric function.
    gradient: false,
    tolerance: { rtol: 1e-3, atol: 1e-4 },
  })),
  {
    title: 'NaN in one entry',
    inputs: () =>
      tf.tidy(() => ({ a: tf.fill([5, 5], Number.NaN) as tf.Tensor2D, b: rhs(5, 2), ridge: tf.scalar(1) })),
    attrs: undefined,
    gradient: false,
  },
])

describeBackends('solveSpd', () => {
  it('leaves no residual', () => {
    tf.tidy(() => {
      for (const [n, m] of [
        [9, 4],
        [130, 20],
        [300, 5],
      ] as const) {
        const a = spd(n, 20)
        const b = rhs(n, m)
        const x = solveSpd(a, b, { ridge: 2 })
        expectClose(tf.add(tf.matMul(a, x), tf.mul(x, 2)), b, { rtol: 1e-3, atol: 1e-3 })
      }
    })
  })

  it('has the gradient of the inverse of a symmetric matrix', () => {
    const c = tf.randomNormal([4, 4], 0, 1, 'float32', 3)
    const b = rhs(4, 2)
    const ridge = tf.scalar(1)
    expectGradients(
      (root, right, shift) =>
        solveSpdOp({
          a: tf.matMul(root as tf.Tensor2D, root as tf.Tensor2D, true) as tf.Tensor2D,
          b: right as tf.Tensor2D,
          ridge: shift as tf.Scalar,
        }),
      [c, b, ridge],
    )
    tf.dispose([c, b, ridge])
  })

  it('leaves no tensor behind', async () => {
    const a = spd(5)
    const b = rhs(5, 2)
    await expectNoTensorLeak(() => solveSpd(a, b, { ridge: 1 }).dispose())
    tf.dispose([a, b])
  })

  it('rejects shapes that do not agree and a negative ridge', () => {
    tf.tidy(() => {
      expect(() => solveSpd(spd(3), rhs(2, 1))).toThrow(
        'solveSpd: `a` must be [n, n] and `b` [n, m]. Received a=[3,3], b=[2,1].',
      )
      expect(() => solveSpd(spd(2), rhs(2, 1), { ridge: -1 })).toThrow(
        'solveSpd: `ridge` must be at least 0. Received ridge=-1.',
      )
    })
  })
})
