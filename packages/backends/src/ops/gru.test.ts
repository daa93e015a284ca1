import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, describeOp, expectClose, expectGradients, type OpCase } from '@tfgraft/testing'
import { it } from 'vitest'
import { type GruInputs, type GruOptions, gru } from './gru'

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
const sizes = [
  [3, 5, 4, 8],
  [2, 3, 5, 7],
  [1, 1, 1, 1],
  [20, 2, 3, 2],
  [1, 6, 17, 13],
] as const

const cases: OpCase<GruInputs, GruOptions>[] = attributes.flatMap(({ scale, ...attrs }) => {
  const names = `${attrs.activation}, ${attrs.recurrentActivation}`
  return [
    ...sizes.map(([batch, time, features, units]) => ({
      title: `${names}, batch ${batch}, length ${time}, ${features} features, ${units} units`,
      inputs: () => inputs(batch, time, features, units, scale),
      attrs,
    })),
    {
      title: `${names}, without bias`,
      inputs: () => {
        const { bias, ...rest } = inputs(2, 3, 4, 5, scale)
        bias!.dispose()
        return rest
      },
      attrs,
    },
    {
      title: `${names}, NaN in the second step`,
      inputs: () => {
        const { x, ...rest } = inputs(2, 3, 1, 4)
        x.dispose()
        return { ...rest, x: tf.tensor3d([1, Number.NaN, 2, 3, 4, 5], [2, 3, 1]) }
      },
      attrs,
      gradient: false,
    },
  ]
})

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
