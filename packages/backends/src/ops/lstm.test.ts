import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, describeOp, expectClose, expectGradients, type OpCase } from '@tfgraft/testing'
import { it } from 'vitest'
import { type LstmInputs, type LstmOptions, lstm } from './lstm'
import { recurrentCases } from './recurrent-cases'

const normal = (shape: number[], seed: number, scale = 1) => tf.randomNormal(shape, 0, scale, 'float32', seed)

function inputs(batch: number, time: number, features: number, units: number, scale = 0.5): LstmInputs {
  return {
    x: normal([batch, time, features], 1),
    kernel: normal([features, 4 * units], 2, scale),
    recurrentKernel: normal([units, 4 * units], 3, scale),
    bias: normal([4 * units], 4, scale),
    h: normal([batch, units], 5),
    c: normal([batch, units], 6),
  }
}

const cases: OpCase<LstmInputs, LstmOptions>[] = (['sigmoid', 'hardSigmoid'] as const).flatMap(
  (recurrentActivation) => [
    ...recurrentCases<LstmInputs, LstmOptions>(recurrentActivation, { recurrentActivation }, inputs),
    {
      title: `${recurrentActivation}, saturated`,
      inputs: () => inputs(2, 3, 4, 5, 30),
      attrs: { recurrentActivation },
      // 1 - tanh^2 near 1 cancels, and weights of 30 carry it on.
      tolerance: { atol: 1e-3 },
    },
  ],
)

describeOp(lstm, cases)

describeBackends('lstm', () => {
  it('agrees with finite differences', () => {
    tf.tidy(() => {
      const { x, kernel, recurrentKernel, bias, h, c } = inputs(2, 3, 3, 2) as Required<LstmInputs>
      expectGradients(
        (x, kernel, recurrentKernel, bias, h, c) =>
          lstm(
            { x: x!, kernel: kernel!, recurrentKernel: recurrentKernel!, bias: bias!, h: h!, c: c! },
            { recurrentActivation: 'sigmoid' },
          ),
        [x, kernel, recurrentKernel, bias, h, c],
      )
    })
  })

  it('with open forget gates and closed input gates keeps its cell state', () => {
    tf.tidy(() => {
      const states = lstm(
        {
          ...{ x: tf.zeros([1, 50, 1]), kernel: tf.zeros([1, 4]), recurrentKernel: tf.zeros([1, 4]) },
          ...{ bias: tf.tensor1d([-10, 10, 0, 10]), h: tf.zeros([1, 1]), c: tf.fill([1, 1], 0.5) },
        },
        { recurrentActivation: 'hardSigmoid' },
      )
      expectClose(tf.slice(states, [0, 49, 0], [1, 1, 2]), { shape: [1, 1, 2], data: [Math.tanh(0.5), 0.5] })
    })
  })
})
