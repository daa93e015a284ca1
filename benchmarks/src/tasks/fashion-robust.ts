/** A small ResNet on Fashion-MNIST: one task about attacked and corrupted images, one about shape against texture. */

import * as tf from '@tensorflow/tfjs-core'
import { initializers, input, layers, metrics, model, type SymbolicTensor } from '@tensorflow/tfjs-layers'
import { cueConflict, shapeBias } from '@tfgraft/advprop'
import { adamW, defaultStep, type TrainingSetup } from '@tfgraft/core'
import { fashionMnist, type LabelledImages } from '@tfgraft/datasets'
import { supervised } from '../supervised'
import type { Hyperparameters, MethodSettings, Task } from '../task'
import { accuracyUnderAttack, corruptedAccuracy } from './robustness-metrics'

const epsilon = 8 / 255

const settings: Record<string, MethodSettings> = {
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
}

/** What a task measures beside clean accuracy, made ready once for all models. */
interface Measure {
  of(model: TrainingSetup['model']): Promise<Record<string, number>>
  dispose(): void
}

/** `load` of both tasks: batches of 64, 2,000 images to evaluate on. */
function load(prepare: (held: LabelledImages) => Measure): Task<TrainingSetup>['load'] {
  return async ({ evaluateOn, limit = 20_000, onProgress }) => {
    const { train: all, test } = await fashionMnist({
      onProgress: ({ message }) => onProgress?.(`Fashion-MNIST: ${message}`),
    })
    const [kept, held] = evaluateOn === 'test' ? [all, test] : all.split(5 / 6, 1)
    onProgress?.('changing images')
    const measure = prepare(held)
    return supervised({
      baseline,
      train: (seed) => kept.take(limit).batches({ batchSize: 64, shuffle: seed }),
      evaluation: held.take(2000).batches({ batchSize: 500 }),
      metrics: { accuracy: metrics.categoricalAccuracy },
      measure: ({ model }) => measure.of(model),
      dispose: measure.dispose,
    })
  }
}

export const fashionRobust: Task<TrainingSetup> = {
  name: 'fashion-robust',
  title: 'Fashion-MNIST, robustness',
  kind: 'supervised',
  summary:
    'A ResNet with two blocks (8 and 16 filters) on 20,000 photographs of clothes. Judged on clean test images, on images that ' +
    'projected gradient descent changed by at most 8/255 per pixel in 20 steps, and on the fifteen common corruptions at severity 3.',
  epochs: 2,
  metrics: [
    { name: 'corrupted', title: 'accuracy, corrupted', better: 'higher', format: 'percent' },
    { name: 'accuracy', title: 'clean accuracy', better: 'higher', format: 'percent' },
    { name: 'attacked', title: 'accuracy under attack', better: 'higher', format: 'percent' },
  ],
  settings,
  load: load((held) => {
    const few = held.take(200).tensors()
    const corrupted = corruptedAccuracy(few)
    return {
      of: async (model) => ({
        corrupted: await corrupted.of(model),
        attacked: await accuracyUnderAttack(model, few, { epsilon, iterations: 20, seed: 0 }),
      }),
      dispose() {
        tf.dispose(few)
        corrupted.dispose()
      },
    }
  }),
}

/** On how much of the texture the shape stands: on none it is as clear as in the photographs, on half both cues are about as strong. */
const backgrounds = { shapeBias: 0.5, shapeBiasOnBlack: 0 }

export const fashionShape: Task<TrainingSetup> = {
  name: 'fashion-shape',
  title: 'Fashion-MNIST, shape against texture',
  kind: 'supervised',
  summary:
    'The same ResNet. Judged on 1,000 images with the shape of one class of clothes and the texture of another: of those taken for one of the ' +
    'two, the share that is taken for the shape (Geirhos et al. 2019). The shape stands on half of the texture, where both cues are about as ' +
    'strong, or on black. Untrained models have no bias worth the name.',
  epochs: 2,
  metrics: [
    { name: 'shapeBias', title: 'shape bias', better: 'higher', format: 'percent' },
    { name: 'shapeBiasOnBlack', title: 'shape bias, on black', better: 'higher', format: 'percent' },
    { name: 'accuracy', title: 'clean accuracy', better: 'higher', format: 'percent' },
  ],
  settings,
  load: load((held) => {
    const sources = held.take(1000).tensors({ labels: 'index' })
    const conflicts = Object.entries(backgrounds).map(
      ([name, background]) =>
        [
          name,
          cueConflict(sources.xs as tf.Tensor4D, sources.ys, { count: 1000, background, seed: 1 }),
        ] as const,
    )
    tf.dispose(sources)
    return {
      of: async (model) =>
        Object.fromEntries(
          conflicts.map(([name, conflict]) => {
            const bias = shapeBias(model, conflict).shapeBias
            return [name, Number.isNaN(bias) ? 0.5 : bias] // what takes no image for either prefers neither
          }),
        ),
      dispose: () => tf.dispose(conflicts.map(([, { images }]) => images)),
    }
  }),
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
