import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import type { LossFunction, TrainingSetup } from '@tfgraft/core'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { labelSmoothing, smoothLabels } from './index'

describeBackends('labelSmoothing', () => {
  it('moves epsilon to the uniform distribution and keeps the sum', async () => {
    const labels = tf.tensor2d([[1, 0, 0, 0]])
    await expectNoTensorLeak(() => {
      const smooth = smoothLabels(labels, 0.2)
      expectClose(smooth, { shape: [1, 4], data: [0.85, 0.05, 0.05, 0.05] })
      smooth.dispose()
    })
    labels.dispose()
  })

  it('replaces the loss and nothing else; epsilon 0 changes no value', () => {
    const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 2, inputShape: [3] })] })
    const step = (): never => {
      throw new Error('not called')
    }
    const setup: TrainingSetup = { model, optimizer: tf.train.sgd(1), loss: tf.losses.meanSquaredError, step }
    const smoothed = labelSmoothing({ epsilon: 0 }).apply(setup)
    expect(smoothed).toMatchObject({ model: setup.model, optimizer: setup.optimizer, step: setup.step })
    const [y, p] = [tf.tensor2d([[0, 1]]), tf.tensor2d([[0.3, 0.4]])]
    const loss = smoothed.loss as LossFunction
    expectClose(loss(y, p), tf.losses.meanSquaredError(y, p))
  })

  it('rejects epsilon outside [0, 1)', () => {
    expect(() => labelSmoothing({ epsilon: 1 })).toThrow(
      'labelSmoothing: `epsilon` must be in [0, 1). Received epsilon=1.',
    )
  })
})
