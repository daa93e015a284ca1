/** A small vision transformer on MNIST, clean and under attack: where attention methods and AdvProp meet. */
import * as tf from '@tensorflow/tfjs-core'
import { initializers, input, layers, metrics, model, type SymbolicTensor } from '@tensorflow/tfjs-layers'
import { defaultStep, type TrainingSetup } from '@tfgraft/core'
import { multiHeadAttention, rmsNormalization, transformerBlock } from '@tfgraft/diff-attention'
import type { Hyperparameters, MethodSettings, Task } from '../task'
import { cleanAndAttacked, momentum } from './mnist-robust'

const dim = 48
/** 7 x 7 patches of 4 x 4 pixels. */
const tokens = 49

const learningRates = [0.001, 0.003, 0.01]
const setting = (more: Hyperparameters = {}): MethodSettings => ({
  chosen: { learningRate: 0.003, ...more },
  grid: learningRates.map((learningRate) => ({ learningRate, ...more })),
  validated: false,
})

export const mnistVit: Task<TrainingSetup> = {
  name: 'mnist-vit',
  title: 'MNIST, a vision transformer',
  kind: 'supervised',
  summary:
    `${tokens} patches of 4 x 4 pixels, batch normalisation (which AdvProp splits), two transformer layers of ${dim} features with rotary ` +
    'positions, 4 heads (differential attention of version 1 has half as many: the same number of parameters); 6,000 examples, batches of ' +
    '50. Tested on 2,000 images, and on 200 under a PGD attack of 10 steps within 0.1.',
  epochs: 4,
  target: 0.9,
  metrics: [
    { name: 'accuracy', title: 'test accuracy', better: 'higher', format: 'percent' },
    { name: 'attacked', title: 'accuracy under attack', better: 'higher', format: 'percent' },
    { name: 'loss', title: 'test loss', better: 'lower' },
  ],
  settings: {
    backprop: setting(),
    'diff-attention': setting(),
    advprop: setting({ epsilon: 0.05 }),
  },
  load: cleanAndAttacked(baseline, { attacked: 200 }),
}

function baseline({ learningRate }: Hyperparameters, seed: number): TrainingSetup {
  const initializer = (layer: number) => initializers.glorotNormal({ seed: 1000 * (seed + 1) + layer })
  const image = input({ shape: [28, 28, 1] })
  const through = (x: SymbolicTensor, layer: layers.Layer) => layer.apply(x) as SymbolicTensor
  const patches = [
    layers.conv2d({ filters: dim, kernelSize: 4, strides: 4, kernelInitializer: initializer(0) }),
    layers.batchNormalization({ momentum }),
    layers.reshape({ targetShape: [tokens, dim] }),
  ].reduce(through, image)
  const blocks = [0, 1].map(() =>
    transformerBlock({
      dim,
      attention: multiHeadAttention({ numHeads: 4, rotary: 'interleaved' }),
      feedForwardDim: 2 * dim,
    }),
  )
  const outputs = [
    ...blocks,
    rmsNormalization(),
    layers.globalAveragePooling1d({}),
    layers.dense({ units: 10, activation: 'softmax', kernelInitializer: initializer(1) }),
  ].reduce(through, patches)
  return {
    model: model({ inputs: image, outputs }),
    optimizer: tf.train.adam(Number(learningRate)),
    loss: metrics.categoricalCrossentropy,
    step: defaultStep,
  }
}
