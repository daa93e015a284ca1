/** Fully connected networks on MNIST: the task of ProxProp's paper and of the course, in two sizes. */

import * as tf from '@tensorflow/tfjs-core'
import { initializers, layers, metrics, sequential } from '@tensorflow/tfjs-layers'
import { defaultStep, type TrainingSetup } from '@tfgraft/core'
import { mnist } from '@tfgraft/datasets'
import { supervised } from '../supervised'
import type { Hyperparameters, MethodSettings, Task } from '../task'

const batchSize = 100

interface MlpOptions {
  name: string
  title: string
  summary: string
  hidden: readonly number[]
  activation: 'sigmoid' | 'relu'
  epochs: number
  target: number
  settings: Readonly<Record<string, MethodSettings>>
}

function mlp({ hidden, activation, ...rest }: MlpOptions): Task<TrainingSetup> {
  return {
    ...rest,
    kind: 'supervised',
    metrics: [
      { name: 'accuracy', title: 'test accuracy', better: 'higher', format: 'percent' },
      { name: 'loss', title: 'test loss', better: 'lower' },
    ],
    async load({ evaluateOn, limit, onProgress }) {
      const { train: all, test } = await mnist({
        onProgress: ({ message }) => onProgress?.(`MNIST: ${message}`),
      })
      const [kept, held] = evaluateOn === 'test' ? [all, test] : all.split(5 / 6, 1)
      const train = kept.take(Math.min(limit ?? kept.count, kept.count))
      const form = { form: 'flat' } as const
      return supervised({
        baseline: (hyperparameters, seed) => baseline(hidden, activation, hyperparameters, seed),
        train: (seed) => train.batches({ batchSize, shuffle: seed, ...form }),
        evaluation: held.batches({ batchSize: 1000, ...form }),
        metrics: { accuracy: metrics.categoricalAccuracy },
      })
    },
  }
}

function baseline(
  hidden: readonly number[],
  activation: 'sigmoid' | 'relu',
  { learningRate, momentum }: Hyperparameters,
  seed: number,
): TrainingSetup {
  const initializer = (layer: number) => {
    const options = { seed: 1000 * (seed + 1) + layer }
    return activation === 'relu' ? initializers.heNormal(options) : initializers.glorotNormal(options)
  }
  return {
    model: sequential({
      layers: [...hidden, 10].map((units, layer) =>
        layers.dense({
          units,
          ...(layer === 0 ? { inputShape: [784] } : {}),
          ...(layer < hidden.length ? { activation } : {}),
          kernelInitializer: initializer(layer),
        }),
      ),
    }),
    optimizer: tf.train.momentum(Number(learningRate), Number(momentum), true),
    loss: tf.losses.softmaxCrossEntropy as TrainingSetup['loss'],
    step: defaultStep,
  }
}

const momentum = 0.95

/**
 * Eight points for each method, tried on a validation split of the training data.
 * - Small network: 5 epochs on 20,000 examples, `results/committed/tuning-mnist-mlp-30.jsonl`, which also has the seven more of
 *   ProxProp's first grid, at smaller rates. ProxProp's best lies in the corner of its grid: a smaller tau at a larger rate may do better.
 * - Large network: 4 epochs on 10,000 examples, `results/committed/tuning-mnist-mlp-512.jsonl`. ProxProp's best lies in the corner again
 *   (95.85 %; 95.70 % at the paper's tau of 0.05; backpropagation 95.73 %).
 */
const backpropGrid = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5].map((learningRate) => ({
  learningRate,
  momentum,
}))
const proxpropGrid = (learningRates: number[], taus: number[]) =>
  learningRates.flatMap((learningRate) => taus.map((tau) => ({ learningRate, momentum, tau })))

export const mnistMlp30 = mlp({
  name: 'mnist-mlp-30',
  title: 'MNIST, 784-30-30-10',
  summary:
    'The network of the course that this project comes from: 784-30-30-10 with sigmoid units, batches of 100. Softmax cross ' +
    'entropy, Nesterov momentum 0.95, the same initial weights and the same order of batches for all methods.',
  hidden: [30, 30],
  activation: 'sigmoid',
  epochs: 5,
  target: 0.94,
  settings: {
    backprop: {
      chosen: { learningRate: 0.1, momentum },
      grid: backpropGrid,
      validated: true,
    },
    proxprop: {
      chosen: { learningRate: 3, momentum, tau: 0.05 },
      grid: proxpropGrid([1, 3], [0.05, 0.5, 5, 50]),
      validated: true,
    },
  },
})

export const mnistMlp512 = mlp({
  name: 'mnist-mlp-512',
  title: 'MNIST, 784-512-512-10',
  summary:
    'A network of practical size: 784-512-512-10 with ReLU units, batches of 100. Softmax cross entropy, Nesterov momentum ' +
    '0.95 as in the paper, the same initial weights and the same order of batches for all methods.',
  hidden: [512, 512],
  activation: 'relu',
  epochs: 5,
  target: 0.97,
  settings: {
    backprop: {
      chosen: { learningRate: 0.05, momentum },
      grid: backpropGrid,
      validated: true,
    },
    proxprop: {
      chosen: { learningRate: 1, momentum, tau: 0.01 },
      grid: proxpropGrid([0.3, 1], [0.01, 0.05, 0.25, 1]),
      validated: true,
    },
  },
})
