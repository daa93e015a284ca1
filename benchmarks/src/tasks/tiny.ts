/** A task of milliseconds: two Gaussian clouds. It shows and tests the harness, not the methods. */

import * as tf from '@tensorflow/tfjs-core'
import { initializers, layers, metrics, sequential } from '@tensorflow/tfjs-layers'
import type { TrainingSetup } from '@tfgraft/core'
import { defaultStep } from '@tfgraft/core'
import { type SizedDataset, supervised } from '../supervised'
import type { Task } from '../task'

function clouds(count: number, batchSize: number, seed: number): SizedDataset {
  const size = Math.ceil(count / batchSize)
  const draw = (batch: number) =>
    tf.tidy(() => {
      const examples = Math.min(batchSize, count - batch * batchSize)
      const classes = tf.tensor1d(
        Int32Array.from({ length: examples }, (_, i) => i % 2),
        'int32',
      )
      const ys = tf.cast(tf.oneHot(classes, 2), 'float32')
      const noise = tf.randomNormal([examples, 2], 0, 1, 'float32', seed + batch)
      return { xs: tf.add(noise, tf.sub(tf.mul(ys, 3), 1.5)), ys }
    })
  return {
    size,
    async iterator() {
      let batch = 0
      return {
        next: async () =>
          batch < size ? { done: false, value: draw(batch++) } : { done: true, value: undefined },
      }
    },
  }
}

export const tiny: Task<TrainingSetup> = {
  name: 'tiny',
  title: 'Two clouds, 2-8-2',
  kind: 'supervised',
  summary:
    'Two Gaussian clouds in the plane and eight hidden units: a check of the harness that takes a second.',
  epochs: 3,
  metrics: [
    { name: 'accuracy', title: 'test accuracy', better: 'higher', format: 'percent' },
    { name: 'loss', title: 'test loss', better: 'lower' },
  ],
  settings: {
    backprop: {
      chosen: { learningRate: 0.1 },
      grid: [0.01, 0.1].map((learningRate) => ({ learningRate })),
      validated: true,
    },
    proxprop: {
      chosen: { learningRate: 1, tau: 0.1 },
      grid: [0.05, 0.1].map((tau) => ({ learningRate: 1, tau })),
      validated: true,
    },
  },
  async load({ limit, onProgress }) {
    onProgress?.('drawing the clouds')
    return supervised({
      baseline: ({ learningRate }, seed) => ({
        model: sequential({
          layers: [
            layers.dense({
              units: 8,
              inputShape: [2],
              activation: 'tanh',
              kernelInitializer: initializers.glorotNormal({ seed: seed + 1 }),
            }),
            layers.dense({ units: 2, kernelInitializer: initializers.glorotNormal({ seed: seed + 2 }) }),
          ],
        }),
        optimizer: tf.train.sgd(Number(learningRate)),
        loss: tf.losses.softmaxCrossEntropy as TrainingSetup['loss'],
        step: defaultStep,
      }),
      train: (seed) => clouds(limit ?? 400, 20, 1000 * (seed + 1)),
      evaluation: clouds(200, 100, 7),
      metrics: { accuracy: metrics.categoricalAccuracy },
    })
  },
}
