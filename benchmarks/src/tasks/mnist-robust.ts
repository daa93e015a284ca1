/** A small convolutional network on MNIST, judged on clean images and under attack: the question of AdvProp. */

import * as tf from '@tensorflow/tfjs-core'
import { initializers, layers, metrics, sequential } from '@tensorflow/tfjs-layers'
import { defaultStep, type TrainingSetup } from '@tfgraft/core'
import { mnist } from '@tfgraft/datasets'
import { type SupervisedOptions, supervised } from '../supervised'
import type { Hyperparameters, Task } from '../task'
import { accuracyUnderAttack } from './robustness-metrics'

/**
 * Of the moving statistics. Trainings of a hundred or two steps are short for the default of 0.99, which then still holds a part of the
 * initial zeros and ones: a vision transformer that had learned its training digits to 66 % gave 22 % on others.
 */
export const momentum = 0.9

/** The attack of the evaluation. Training attacks are weaker and use one step. */
const attack = { epsilon: 0.1, iterations: 10, seed: 0 }

export const mnistRobust: Task<TrainingSetup> = {
  name: 'mnist-robust',
  title: 'MNIST under attack',
  kind: 'supervised',
  summary:
    'A convolutional network (16 and 32 filters with batch normalisation) on 6,000 digits. Judged on clean test images and on images ' +
    'that projected gradient descent changed by at most 0.1 per pixel, in 10 steps, against each model itself. AdvProp trains on ' +
    'adversarial examples of its own (one step).',
  epochs: 3,
  metrics: [
    { name: 'attacked', title: 'accuracy under attack', better: 'higher', format: 'percent' },
    { name: 'accuracy', title: 'clean accuracy', better: 'higher', format: 'percent' },
  ],
  settings: {
    backprop: {
      chosen: { learningRate: 0.003 },
      grid: [0.001, 0.003, 0.01].map((learningRate) => ({ learningRate })),
      validated: false,
    },
    advprop: {
      chosen: { learningRate: 0.003, epsilon: 0.1 },
      grid: [0.001, 0.003, 0.01].map((learningRate) => ({ learningRate, epsilon: 0.1 })),
      validated: false,
    },
    'sparse-top-k': {
      chosen: { learningRate: 0.003, k: 0.2, after: 'stem' },
      grid: [0.001, 0.003, 0.01].map((learningRate) => ({ learningRate, k: 0.2, after: 'stem' })),
      validated: false,
    },
  },
  load: cleanAndAttacked(baseline, { attacked: 500 }),
}

/**
 * `load` of tasks on MNIST: 6,000 training images in batches of 50, 2,000 images to evaluate on, the first of them also under the
 * attack of this file.
 */
export function cleanAndAttacked(
  baseline: SupervisedOptions['baseline'],
  { attacked: count }: { attacked: number },
): Task<TrainingSetup>['load'] {
  return async ({ evaluateOn, limit = 6000, onProgress }) => {
    const { train: all, test } = await mnist({
      onProgress: ({ message }) => onProgress?.(`MNIST: ${message}`),
    })
    const [kept, held] = evaluateOn === 'test' ? [all, test] : all.split(5 / 6, 1)
    const attacked = held.take(count).tensors()
    return supervised({
      baseline,
      train: (seed) => kept.take(limit).batches({ batchSize: 50, shuffle: seed }),
      evaluation: held.take(2000).batches({ batchSize: 500 }),
      metrics: { accuracy: metrics.categoricalAccuracy },
      measure: async ({ model }) => ({ attacked: await accuracyUnderAttack(model, attacked, attack) }),
      dispose: () => tf.dispose(attacked),
    })
  }
}

function baseline({ learningRate }: Hyperparameters, seed: number): TrainingSetup {
  const initializer = (layer: number) => initializers.heNormal({ seed: 1000 * (seed + 1) + layer })
  return {
    model: sequential({
      layers: [
        layers.conv2d({
          filters: 16,
          kernelSize: 5,
          strides: 2,
          useBias: false,
          inputShape: [28, 28, 1],
          kernelInitializer: initializer(0),
        }),
        layers.batchNormalization({ momentum }),
        layers.activation({ activation: 'relu', name: 'stem' }),
        layers.conv2d({
          filters: 32,
          kernelSize: 3,
          strides: 2,
          useBias: false,
          kernelInitializer: initializer(1),
        }),
        layers.batchNormalization({ momentum }),
        layers.activation({ activation: 'relu' }),
        layers.flatten(),
        layers.dense({ units: 10, activation: 'softmax', kernelInitializer: initializer(2) }),
      ],
    }),
    optimizer: tf.train.adam(Number(learningRate)),
    loss: metrics.categoricalCrossentropy,
    step: defaultStep,
  }
}
