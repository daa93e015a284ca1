/** A small ResNet on Fashion-MNIST: clean, attacked and corrupted images, and shape against texture. */

import * as tf from '@tensorflow/tfjs-core'
import { initializers, input, layers, metrics, model, type SymbolicTensor } from '@tensorflow/tfjs-layers'
import { cueConflict, shapeBias } from '@tfgraft/advprop'
import { adamW, defaultStep, type TrainingSetup } from '@tfgraft/core'
import { fashionMnist } from '@tfgraft/datasets'
import { supervised } from '../supervised'
import type { Hyperparameters, Task } from '../task'
import { accuracyUnderAttack, corruptedAccuracy } from './robustness-metrics'

const epsilon = 8 / 255

export const fashionRobust: Task<TrainingSetup> = {
  name: 'fashion-robust',
  title: 'Fashion-MNIST, robustness',
  kind: 'supervised',
  summary:
    'A ResNet with two blocks (8 and 16 filters) on 20,000 photographs of clothes. Judged on clean test images, on images that ' +
    'projected gradient descent changed by at most 8/255 per pixel in 20 steps, on the fifteen common corruptions at severity 3, and ' +
    'on images with the shape of one class and the texture of another.',
  epochs: 2,
  metrics: [
    { name: 'corrupted', title: 'accuracy, corrupted', better: 'higher', format: 'percent' },
    { name: 'accuracy', title: 'clean accuracy', better: 'higher', format: 'percent' },
    { name: 'attacked', title: 'accuracy under attack', better: 'higher', format: 'percent' },
    { name: 'shapeBias', title: 'shape bias', better: 'higher', format: 'percent' },
  ],
  settings: {
    backprop: {
      chosen: { learningRate: 0.016 },
      grid: [0.008, 0.016, 0.032].map((learningRate) => ({ learningRate })),
      validated: false,
    },
    advprop: {
      chosen: { learningRate: 0.016, epsilon },
      grid: [0.008, 0.016, 0.032].map((learningRate) => ({ learningRate, epsilon })),
      validated: false,
    },
    'sparse-top-k': {
      chosen: { learningRate: 0.016, k: 0.1, after: 'stage1' },
      grid: [0.05, 0.1, 0.2].map((k) => ({ learningRate: 0.016, k, after: 'stage1' })),
      validated: false,
    },
  },
  async load({ evaluateOn, limit = 20_000, onProgress }) {
    const { train: all, test } = await fashionMnist({
      onProgress: ({ message }) => onProgress?.(`Fashion-MNIST: ${message}`),
    })
    const [kept, held] = evaluateOn === 'test' ? [all, test] : all.split(5 / 6, 1)
    const few = held.take(200).tensors()
    const sources = held.take(1000).tensors({ labels: 'index' })
    const conflict = cueConflict(sources.xs as tf.Tensor4D, sources.ys, { count: 500, seed: 1 })
    tf.dispose(sources)
    onProgress?.('corrupting images')
    const corrupted = corruptedAccuracy(few)
    return supervised({
      baseline,
      train: (seed) => kept.take(limit).batches({ batchSize: 64, shuffle: seed }),
      evaluation: held.take(2000).batches({ batchSize: 500 }),
      metrics: { accuracy: metrics.categoricalAccuracy },
      measure: async ({ model }) => ({
        corrupted: await corrupted.of(model),
        attacked: await accuracyUnderAttack(model, few, { epsilon, iterations: 20, seed: 0 }),
        shapeBias: shapeBias(model, conflict).shapeBias,
      }),
      dispose: () => {
        tf.dispose([few.xs, few.ys, conflict.images])
        corrupted.dispose()
      },
    })
  },
}

function baseline({ learningRate }: Hyperparameters, seed: number): TrainingSetup {
  let drawn = 1000 * (seed + 1)
  const apply = (layer: { apply(x: SymbolicTensor): unknown }, x: SymbolicTensor) =>
    layer.apply(x) as SymbolicTensor
  const conv = (x: SymbolicTensor, filters: number, strides: number, kernelSize = 3) => {
    const kernelInitializer = initializers.heNormal({ seed: drawn++ })
    const convolved = apply(
      layers.conv2d({ filters, strides, kernelSize, padding: 'same', useBias: false, kernelInitializer }),
      x,
    )
    return apply(layers.batchNormalization({ momentum: 0.9 }), convolved)
  }
  const relu = (x: SymbolicTensor, name?: string) => apply(layers.reLU({ name }), x)
  const block = (x: SymbolicTensor, filters: number, strides: number, name: string) => {
    const shortcut = strides === 1 ? x : conv(x, filters, strides, 1)
    const inner = conv(relu(conv(x, filters, strides)), filters, 1)
    return relu(layers.add().apply([inner, shortcut]) as SymbolicTensor, name)
  }
  const images = input({ shape: [28, 28, 1] })
  const features = block(block(relu(conv(images, 8, 2), 'stem'), 8, 1, 'stage1'), 16, 2, 'stage2')
  const pooled = apply(layers.globalAveragePooling2d({}), features)
  const kernelInitializer = initializers.glorotUniform({ seed: drawn })
  return {
    model: model({
      inputs: images,
      outputs: apply(layers.dense({ units: 10, activation: 'softmax', kernelInitializer }), pooled),
    }),
    optimizer: adamW({ learningRate: Number(learningRate), weightDecay: 1e-4 }),
    loss: metrics.categoricalCrossentropy,
    step: defaultStep,
  }
}
