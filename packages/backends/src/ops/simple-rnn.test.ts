import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, describeOp, expectClose, expectGradients, type OpCase } from '@tfgraft/testing'
import { it } from 'vitest'
import { recurrentCases } from './recurrent-cases'
import { type SimpleRnnInputs, type SimpleRnnOptions, simpleRnn } from './simple-rnn'

const normal = (shape: number[], seed: number, scale = 1) => tf.randomNormal(shape, 0, scale, 'float32', seed)

function inputs(batch: number, time: number, features: number, units: number): SimpleRnnInputs {
  return {
    x: normal([batch, time, features], 1),
    kernel: normal([features, units], 2, 0.4),
    recurrentKernel: normal([units, units], 3, 0.4),
    bias: normal([units], 4, 0.4),
    h: normal([batch, units], 5),
  }
}

const cases: OpCase<SimpleRnnInputs, SimpleRnnOptions>[] = (
  ['tanh', 'relu', 'sigmoid', 'hardSigmoid', 'linear'] as const
).flatMap((activation) => recurrentCases(activation, { activation }, inputs))

describeOp(simpleRnn, cases)

describeBackends('simpleRnn', () => {
  it('agrees with finite differences', () => {
    tf.tidy(() => {
      const { x, kernel, recurrentKernel, bias, h } = inputs(2, 3, 3, 2) as Required<SimpleRnnInputs>
      expectGradients(
        (x, kernel, recurrentKernel, bias, h) =>
          simpleRnn(
            { x: x!, kernel: kernel!, recurrentKernel: recurrentKernel!, bias: bias!, h: h! },
            { activation: 'tanh' },
          ),
        [x, kernel, recurrentKernel, bias, h],
      )
    })
  })

  it('without an input, a linear layer multiplies its state by the recurrent weights', () => {
    tf.tidy(() => {
      const states = simpleRnn(
        {
          ...{ x: tf.zeros([1, 3, 1]), kernel: tf.zeros([1, 2]), h: tf.tensor2d([[1, 2]]) },
          recurrentKernel: tf.tensor2d([
            [0, 1],
            [2, 0],
          ]),
        },
        { activation: 'linear' },
      )
      expectClose(states, { shape: [1, 3, 2], data: [4, 1, 2, 4, 8, 2] })
    })
  })
})
