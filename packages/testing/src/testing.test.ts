import * as tf from '@tensorflow/tfjs-core'
import { expect, it } from 'vitest'
import { describeBackends, expectClose, expectGradients, expectNoTensorLeak } from './index'

it('closeness rejects NaN, wrong shapes and values beyond the tolerance', () => {
  expectClose([1, 2], [1, 2.00001])
  expect(() => expectClose([Number.NaN], [Number.NaN])).toThrow('received NaN')
  expect(() => expectClose([1], [1.1])).toThrow('received 1, expected 1.1')
  expect(() => expectClose([1], [1, 2])).toThrow('lengths differ')
})

describeBackends('testing tools', () => {
  it('the gradient check passes a right gradient and fails a wrong one', () => {
    const x = tf.tensor1d([0.3, -0.7, 1.1])
    expectGradients((t) => tf.square(t), [x])
    const wrong = tf.customGrad((t, save) => {
      ;(save as tf.GradSaveFunc)([t as tf.Tensor])
      return { value: tf.square(t as tf.Tensor), gradFunc: (dy) => dy as tf.Tensor }
    })
    expect(() => expectGradients((t) => wrong(t), [x])).toThrow('expectGradients: input 0')
    x.dispose()
  })

  it('the leak check counts tensors', async () => {
    await expect(expectNoTensorLeak(() => tf.scalar(1))).rejects.toThrow('1 tensors left behind')
    await expectNoTensorLeak(() => tf.scalar(1).dispose())
  })
})
