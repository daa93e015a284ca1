/** What solveSpd does with matrices that have no inverse: on every backend, the slow ones too. */
import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, expectClose } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { solveSpd } from './op'

const rhs = (n: number, m: number) => tf.randomNormal([n, m], 0, 1, 'float32', m) as tf.Tensor2D

describeBackends('solveSpd, singular', () => {
  it('solves singular systems that have a solution, without a ridge', () => {
    tf.tidy(() => {
      for (const [n, rank] of [
        [6, 1],
        [8, 3],
        [40, 11],
      ] as const) {
        const root = tf.randomNormal([rank, n], 0, 1, 'float32', n) as tf.Tensor2D
        const a = tf.matMul(root, root, true) as tf.Tensor2D
        const b = tf.matMul(a, rhs(n, 3)) as tf.Tensor2D
        expectClose(tf.matMul(a, solveSpd(a, b)), b, { rtol: 1e-2, atol: 1e-2 })
      }
      const ones = solveSpd(tf.ones([6, 6]) as tf.Tensor2D, tf.ones([6, 2]) as tf.Tensor2D)
      expectClose(tf.sum(ones, 0), [1, 1], { rtol: 1e-5 })
      // A ridge that float32 can tell from rounding picks the shortest solution.
      const shortest = solveSpd(tf.ones([6, 6]) as tf.Tensor2D, tf.ones([6, 2]) as tf.Tensor2D, {
        ridge: 1e-3,
      })
      expectClose(shortest, tf.fill([6, 2], 1 / 6), { rtol: 1e-3 })
    })
  })

  it('stays finite where a system has no solution', () => {
    tf.tidy(() => {
      const rankOne = tf.mul(tf.ones([6, 6]), 1e12) as tf.Tensor2D
      for (const ridge of [0, 1])
        for (const value of solveSpd(rankOne, rhs(6, 3), { ridge }).dataSync())
          expect(Number.isFinite(value)).toBe(true)
    })
  })
})
