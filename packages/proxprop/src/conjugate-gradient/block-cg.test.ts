import * as tf from '@tensorflow/tfjs-core'
import { describeOp } from '@tfgraft/testing'
import { blockCgOp } from './op'

const cases = (['primal', 'dual'] as const).flatMap((form) =>
  (
    [
      [1, 1, 1],
      [3, 2, 2],
      [4, 8, 3],
      [7, 3, 10],
      [16, 9, 5],
      [37, 20, 3],
    ] as const
  ).map(([n, m, steps]) => ({
    title: `${form}, ${n} unknowns, ${m} columns, ${steps} steps`,
    inputs: () =>
      tf.tidy(() => {
        const a = tf.randomNormal([n, n + 3], 0, 0.5, 'float32', n) as tf.Tensor2D
        const rhs = tf.randomNormal([n, m], 0, 1, 'float32', m) as tf.Tensor2D
        return { gram: tf.matMul(a, a, false, true) as tf.Tensor2D, rhs, tau: tf.scalar(0.7) }
      }),
    attrs: { form, steps, tolerance: 1e-4 },
    gradient: false,
  })),
)

describeOp(blockCgOp, [
  ...cases,
  {
    title: 'a right-hand side of zeros',
    inputs: () =>
      tf.tidy(() => ({ gram: tf.eye(5), rhs: tf.zeros([5, 3]) as tf.Tensor2D, tau: tf.scalar(1) })),
    attrs: { form: 'primal' as const, steps: 3, tolerance: 1e-4 },
    gradient: false,
  },
])
