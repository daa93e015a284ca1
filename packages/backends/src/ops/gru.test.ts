import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, describeOp, expectClose, expectGradients, type OpCase } from '@tfgraft/testing'
import { it } from 'vitest'
import { type GruInputs, type GruOptions, gru } from './gru'
import { recurrentCases } from './recurrent-cases'

const normal = (shape: number[], seed: number, scale = 1) => tf.randomNormal(shape, 0, scale, 'float32', seed)

function inputs(batch: number, time: number, features: number, units: number, scale = 0.5): GruInputs {
  return {
    x: normal([batch, time, features], 1),
    kernel: normal([features, 3 * units], 2, scale),
    recurrentKernel: normal([units, 3 * units], 3, scale),
    bias: normal([3 * units], 4, scale),
    h: normal([batch, units], 5),
  }
}

/** Gates that are no part of 1, as tanh's, let states grow: smaller weights. */
const attributes: (GruOptions & { scale: number })[] = [
  { activation: 'tanh', recurrentActivation: 'hardSigmoid', scale: 0.3 },
  { activation: 'relu', recurrentActivation: 'sigmoid', scale: 0.3 },
  { activation: 'linear', recurrentActivation: 'tanh', scale: 0.05 },
]
const cases: OpCase<GruInputs, GruOptions>[] = attributes.flatMap(({ scale, ...attrs }) =>
  recurrentCases(`${attrs.activation}, ${attrs.recurrentActivation}`, attrs, (...sizes) =>
    inputs(...sizes, scale),
  ),
)

describeOp(gru, cases)

describeBackends('gru', () => {
  it('agrees with finite differences', () => {
    tf.tidy(() => {
      const { x, kernel, recurrentKernel, bias, h } = inputs(2, 3, 3, 2) as Required<GruInputs>
      expectGradients(
        (x, kernel, recurrentKernel, bias, h) =>
          gru(
            { x: x!, kernel: kernel!, recurrentKernel: recurrentKernel!, bias: bias!, h: h! },
            { activation: 'tanh', recurrentActivation: 'sigmoid' },
          ),
        [x, kernel, recurrentKernel, bias, h],
      )
    })
  })

  it('with an open update gate keeps its state, and with a closed one takes the candidate', () => {
    tf.tidy(() => {
      const states = (update: number) =>
        gru(
          {
            ...{ x: tf.zeros([1, 9, 1]), kernel: tf.zeros([1, 3]), recurrentKernel: tf.zeros([1, 3]) },
            ...{ bias: tf.tensor1d([update, 0, 2]), h: tf.fill([1, 1], 0.5) },
          },
          { activation: 'tanh', recurrentActivation: 'hardSigmoid' },
        )
      expectClose(tf.slice(states(10), [0, 8, 0], [1, 1, 1]), { shape: [1, 1, 1], data: [0.5] })
      expectClose(tf.slice(states(-10), [0, 8, 0], [1, 1, 1]), { shape: [1, 1, 1], data: [Math.tanh(2)] })
    })
  })
})
