/** The networks that this folder measures, each with plain and proximal layers, and a batch for them. */
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { defaultStep } from '@tfgraft/core'
import { proxConv2d, proxDense } from '@tfgraft/proxprop'

const solvers = {
  plain: null,
  gradient: { solver: 'gradient' },
  exact: { solver: 'exact' },
  cg1: { solver: { cg: 1 } },
  cg3: { solver: { cg: 3 } },
  cg10: { solver: { cg: 10 } },
}

const perceptron = (units, activation) => (options) => {
  const dense = (config) => (options ? proxDense({ ...config, ...options }) : tfl.layers.dense(config))
  return [
    ...units.map((count, i) =>
      dense({ units: count, activation, ...(i === 0 ? { inputShape: [784] } : {}) }),
    ),
    tfl.layers.dense({ units: 10, activation: 'softmax' }),
  ]
}

/** The perceptron of the course that this project comes from. */
export const courseNet = {
  title: '784-30-30-10, batch 100',
  batch: { shape: [100, 784], classes: 10 },
  build: perceptron([30, 30], 'sigmoid'),
  contenders: solvers,
}

export const mlp = {
  title: '784-512-512-10, batch 128',
  batch: { shape: [128, 784], classes: 10 },
  build: perceptron([512, 512], 'relu'),
  contenders: solvers,
}

/** The paper's ConvNet (5 x 5 convolutions with 16, 20 and 20 filters) on images of 28 x 28. */
export const convNet = {
  title: 'ConvNet 16-20-20 (5x5), 28x28x1, batch 64',
  batch: { shape: [64, 28, 28, 1], classes: 10 },
  build: (options) => {
    const conv = (config) => {
      const all = { kernelSize: 5, padding: 'same', activation: 'relu', ...config }
      return options ? proxConv2d({ ...all, ...options }) : tfl.layers.conv2d(all)
    }
    return [
      conv({ filters: 16, inputShape: [28, 28, 1] }),
      tfl.layers.maxPooling2d({ poolSize: 2 }),
      conv({ filters: 20 }),
      tfl.layers.maxPooling2d({ poolSize: 2 }),
      conv({ filters: 20 }),
      tfl.layers.maxPooling2d({ poolSize: 2 }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 10, activation: 'softmax' }),
    ]
  },
  contenders: solvers,
}

/** The training setup of one contender: plain SGD. */
export const setupOf = ({ build, contenders }, name) => ({
  model: tfl.sequential({ layers: build(contenders[name]) }),
  optimizer: tf.train.sgd(0.01),
  loss: tfl.metrics.categoricalCrossentropy,
  step: defaultStep,
})

export function batchOf({ batch: { shape, classes } }) {
  const labels = Array.from({ length: shape[0] }, (_, i) => i % classes)
  return {
    xs: tf.randomUniform(shape, 0, 1, 'float32', 1),
    ys: tf.oneHot(tf.tensor1d(labels, 'int32'), classes),
  }
}
