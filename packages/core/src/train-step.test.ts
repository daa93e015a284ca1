import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import type { TrainingSetup } from './method'
import { dataLoss, defaultStep, forward } from './train-step'

const { layers, metrics, regularizers } = tfl

/** y = w x with w = 2 and the penalty 0.5 w^2. */
const setupOf = (optimizer: tf.Optimizer = tf.train.sgd(0.1)): TrainingSetup => ({
  model: tfl.sequential({
    layers: [
      layers.dense({
        units: 1,
        inputShape: [1],
        useBias: false,
        kernelInitializer: tfl.initializers.constant({ value: 2 }),
        kernelRegularizer: regularizers.l2({ l2: 0.5 }),
      }),
    ],
  }),
  optimizer,
  loss: metrics.meanSquaredError,
  step: defaultStep,
})
const context = { epoch: 0, step: 0, seed: 1 }

describeBackends('training step', () => {
  it('minimises the loss plus each regularisation once, and returns both loss and predictions', () => {
    const setup = setupOf()
    const { loss, predictions } = setup.step(setup, { xs: tf.ones([4, 1]), ys: tf.ones([4, 1]) }, context)
    expectClose(loss, { shape: [], data: [(2 - 1) ** 2 + 0.5 * 2 ** 2] })
    expectClose(predictions[0]!, { shape: [4, 1], data: [2, 2, 2, 2] })
    expectClose(setup.model.getWeights()[0]!, [2 - 0.1 * (2 * (2 - 1) + 2)]) // 2 (w - 1) + w at w = 2
  })

  it('leaves nothing behind but the loss and the predictions', async () => {
    const setup = setupOf()
    const batch = { xs: tf.ones([4, 1]), ys: tf.ones([4, 1]) }
    await expectNoTensorLeak(() => setup.step(setup, batch, context), 2)
  })

  it('sums the losses of several outputs, each averaged over its examples, one loss for all or one for each', () => {
    const labels = [tf.zeros([2, 1]), tf.zeros([2, 1])]
    const predictions = [tf.tensor2d([[1], [2]]), tf.tensor2d([[3], [5]])]
    const mse = metrics.meanSquaredError
    expectClose(dataLoss(mse, labels, predictions), { shape: [], data: [2.5 + 17] })
    expectClose(dataLoss([mse, metrics.meanAbsoluteError], labels, predictions), {
      shape: [],
      data: [2.5 + 4],
    })
  })

  it('runs the model in training mode or in inference mode', () => {
    const model = tfl.sequential({ layers: [layers.dropout({ rate: 0.5, inputShape: [100] })] })
    const zeros = (training: boolean) =>
      forward(model, tf.ones([1, 100]), { training })[0]!
        .dataSync()
        .filter((value) => value === 0).length
    expect(zeros(false)).toBe(0)
    expect(zeros(true)).toBeGreaterThan(20)
  })

  it('names what does not fit', () => {
    const setup = setupOf()
    const x = tf.ones([1, 1])
    expect(() => forward(setup.model, [x, x])).toThrow('has 1 inputs. Received 2 tensors')
    expect(() => dataLoss(setup.loss, [x, x], [x])).toThrow('has 1 outputs. Received labels for 2')
    expect(() => dataLoss([setup.loss, setup.loss].flat(), x, [x])).toThrow(
      'has 1 outputs. Received 2 losses',
    )
    setup.model.trainable = false
    expect(() => setup.step(setup, { xs: x, ys: x }, context)).toThrow('must have trainable weights')
  })
})
