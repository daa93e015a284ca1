import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, describeOp, expectClose } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { adamStep, momentumStep, sgdStep } from './steps'

const values = (size: number, seed: number) => tf.randomNormal([size], 0, 1, 'float32', seed)
const adam = {
  learningRate: 0.01,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-7,
  correction1: 0.271,
  correction2: 0.0297,
}

describeOp(
  adamStep,
  [1, 4, 7, 33].flatMap((size) => {
    const inputs = () => ({
      value: values(size, 1),
      gradient: values(size, 2),
      firstMoment: values(size, 3),
      secondMoment: tf.tidy(() => tf.square(values(size, 4))),
    })
    return [
      { title: `Adam, ${size} values`, inputs, attrs: adam },
      { title: `AdamW, ${size} values`, inputs, attrs: { ...adam, weightDecay: 0.1 } },
    ]
  }),
)

describeOp(
  momentumStep,
  [1, 4, 7, 33].flatMap((size) =>
    [false, true].map((nesterov) => ({
      title: `${size} values${nesterov ? ', Nesterov' : ''}`,
      inputs: () => ({ value: values(size, 1), gradient: values(size, 2), accumulation: values(size, 3) }),
      attrs: { learningRate: 0.1, momentum: 0.9, nesterov },
    })),
  ),
)

describeOp(
  sgdStep,
  [1, 4, 7, 33].map((size) => ({
    title: `${size} values`,
    inputs: () => ({ value: values(size, 1), gradient: values(size, 2) }),
    attrs: { learningRate: 0.1 },
  })),
)

const optimizers = {
  sgd: () => tf.train.sgd(0.05),
  adam: () => tf.train.adam(0.05),
  momentum: () => tf.train.momentum(0.02, 0.9),
  nesterov: () => tf.train.momentum(0.02, 0.9, true),
}

/** Five steps on a quadratic bowl; one variable gets no gradient in the second step. */
async function train(make: () => tf.Optimizer) {
  const before = tf.memory().numTensors
  const optimizer = make()
  const [a, b] = [tf.variable(tf.tensor1d([1, -2, 3])), tf.variable(tf.tensor2d([[0.5]]))]
  for (let step = 0; step < 5; step++) {
    const cost = () =>
      tf.add(tf.sum(tf.square(a)), tf.mul(tf.sum(tf.pow(b, 4)), step === 1 ? 0 : 1)) as tf.Scalar
    optimizer.minimize(cost, true)!.dispose()
  }
  const weights = await optimizer.getWeights()
  const state = weights.map(({ name }) => name.replace(/^\d+/, ''))
  const result = [a, b, ...weights.map(({ tensor }) => tensor)].flatMap((t) => Array.from(t.dataSync()))
  tf.dispose([a, b, weights[0]!.tensor])
  optimizer.dispose()
  // tfjs's momentum leaves its learning rate behind.
  return { result, state, left: tf.memory().numTensors - before }
}

describeBackends(
  'tfjs optimizers',
  (backend) => {
    it.each(Object.entries(optimizers))(
      '%s takes the steps of tfjs-cpu, with the same state',
      async (_, make) => {
        const actual = await train(make)
        await tf.setBackend('cpu')
        const expected = await train(make)
        await tf.setBackend(backend)
        expectClose(actual.result, expected.result, { rtol: 1e-5, atol: 1e-6 })
        expect(actual.state).toEqual(expected.state)
        expect(actual.left).toBe(expected.left)
      },
    )
  },
  ['wasm'],
)
