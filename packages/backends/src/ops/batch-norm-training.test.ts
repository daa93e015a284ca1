import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, describeOp, expectClose, expectGradients, type OpCase } from '@tfgraft/testing'
import { it } from 'vitest'
import {
  type BatchNormTrainingInputs,
  type BatchNormTrainingOptions,
  batchNormTraining,
} from './batch-norm-training'

const values = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, 'float32', seed)
const attrs = { epsilon: 1e-3 }

const cases: OpCase<BatchNormTrainingInputs, BatchNormTrainingOptions>[] = (
  [
    ['whole vectors', [6, 8]],
    ['odd width', [5, 7]],
    ['one column', [9, 1]],
    ['one row', [1, 5]],
    ['more rows than a block', [300, 6]],
    ['images', [2, 3, 4, 5]],
  ] as const
).map(([title, shape]) => {
  const n = shape.at(-1)!
  return {
    title,
    inputs: () => ({ x: values([...shape], 1), scale: values([n], 2), offset: values([n], 3) }),
    attrs,
  }
})
cases.push(
  { title: 'without scale and offset', inputs: () => ({ x: values([5, 6], 1) }), attrs },
  { title: 'without scale', inputs: () => ({ x: values([5, 6], 1), offset: values([6], 2) }), attrs },
  {
    title: 'NaN stays in its column',
    inputs: () => ({ x: tf.tensor2d([1, Number.NaN, 3, 4, 5, 6], [2, 3]) }),
    attrs,
  },
)

describeOp(batchNormTraining, cases)

describeBackends('batchNormTraining', () => {
  it('agrees with finite differences', () => {
    tf.tidy(() =>
      expectGradients(
        (x, scale, offset) => batchNormTraining({ x: x!, scale: scale!, offset: offset! }, attrs)[0],
        [values([4, 3], 1), values([3], 2), values([3], 3)],
      ),
    )
  })

  it('has the variance of values far from zero', () => {
    tf.tidy(() => {
      const x = tf.reshape(tf.add(tf.mod(tf.range(0, 1000), 2), 10_000), [500, 2]) // 10000 and 10001
      const [, mean, variance] = batchNormTraining({ x: tf.reshape(x, [1000, 1]) }, attrs)
      expectClose(mean, { shape: [1], data: [10_000.5] })
      expectClose(variance, { shape: [1], data: [0.25] }, { rtol: 1e-3 })
    })
  })
})
