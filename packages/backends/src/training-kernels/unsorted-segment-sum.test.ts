import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, expectClose } from '@tfgraft/testing'
import { it } from 'vitest'

describeBackends('unsortedSegmentSum', () => {
  it('adds rows of equal id, leaves unused segments zero and drops ids outside the range', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8], [4, 2])
      const ids = tf.tensor1d([2, -1, 2, 0], 'int32')
      expectClose(tf.unsortedSegmentSum(x, ids, 4), { shape: [4, 2], data: [7, 8, 0, 0, 6, 8, 0, 0] })
    })
  })

  it('keeps int32 and any rank', () => {
    tf.tidy(() => {
      const x = tf.tensor3d([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2], 'int32')
      const sum = tf.unsortedSegmentSum(x, tf.tensor1d([1, 1], 'int32'), 2)
      expectClose(sum, { shape: [2, 2, 2], data: [0, 0, 0, 0, 6, 8, 10, 12] })
      const scalars = tf.unsortedSegmentSum(tf.tensor1d([1, 2, 3]), tf.tensor1d([0, 1, 0], 'int32'), 3)
      expectClose(scalars, { shape: [3], data: [4, 2, 0] })
    })
  })

  it('the gradient of gather adds where an index repeats', () => {
    tf.tidy(() => {
      const table = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2])
      const indices = tf.tensor1d([2, 0, 2], 'int32')
      const gradient = tf.grad((t) => tf.sum(tf.mul(tf.gather(t, indices), [1, 10])))(table)
      expectClose(gradient, { shape: [3, 2], data: [1, 10, 0, 0, 2, 20] })
    })
  })
})
