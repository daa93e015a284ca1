/** The small ResNet of these benchmarks, and the methods that they compare on it. */
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { advprop, sparseTopK } from '@tfgraft/advprop'
import { defaultStep, identity } from '@tfgraft/core'

const { layers } = tfl

/** Two 3 x 3 convolutions beside a shortcut; `strides` 2 halves the image. */
function block(x, filters, strides, name, seed) {
  const conv = (input, config) =>
    layers
      .conv2d({
        ...{ filters, kernelSize: 3, padding: 'same', useBias: false, ...config },
        kernelInitializer: tfl.initializers.heNormal({ seed: seed++ }),
      })
      .apply(input)
  const norm = (input) => layers.batchNormalization({ momentum: 0.9 }).apply(input)
  const inner = layers.reLU().apply(norm(conv(x, { strides })))
  const shortcut = strides === 1 ? x : norm(conv(x, { strides, kernelSize: 1 }))
  return layers.reLU({ name }).apply(layers.add().apply([norm(conv(inner, {})), shortcut]))
}

/** 28 x 28 x 1 to 10 classes, 18 thousand parameters: a stem and one block of 16 and of 32 channels. */
export function smallResNet(seed) {
  const input = tfl.input({ shape: [28, 28, 1] })
  const stem = layers.conv2d({
    ...{ filters: 8, kernelSize: 3, padding: 'same', useBias: false },
    kernelInitializer: tfl.initializers.heNormal({ seed: seed * 1000 }),
  })
  let x = layers.reLU().apply(layers.batchNormalization({ momentum: 0.9 }).apply(stem.apply(input)))
  x = block(x, 16, 2, 'stage1', seed * 1000 + 10)
  x = block(x, 32, 2, 'stage2', seed * 1000 + 20)
  const head = layers.dense({
    ...{ units: 10, activation: 'softmax' },
    kernelInitializer: tfl.initializers.glorotUniform({ seed: seed * 1000 + 30 }),
  })
  return tfl.model({ inputs: input, outputs: head.apply(layers.globalAveragePooling2d({}).apply(x)) })
}

export function baseline(seed) {
  return {
    model: smallResNet(seed),
    optimizer: tf.train.adam(2e-3),
    loss: tfl.metrics.categoricalCrossentropy,
    step: defaultStep,
  }
}

/** One step of `epsilon`: what the benchmark's robustness is measured against, too. */
export const oneStep = (epsilon) => ({ epsilon, stepSize: epsilon, iterations: 1, randomStart: false })

/** The compared methods, by name, for an attack budget. */
export const methods = (epsilon) => ({
  plain: identity,
  advprop: advprop({ attack: oneStep(epsilon), adversarialWeight: 0.5 }),
  fastAdvProp: advprop({ attack: oneStep(epsilon), adversarialWeight: 0.5, gradientReuse: true }),
  sparseTopK: sparseTopK({ k: 0.2, after: 'stage1' }),
})
