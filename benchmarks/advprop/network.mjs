/** The small ResNet of these benchmarks, and the methods that they compare on it. */
import * as tfl from '@tensorflow/tfjs-layers'
import { advprop, sparseTopK } from '@tfgraft/advprop'
import { adamW, cosineDecay, defaultStep, identity, linearWarmup } from '@tfgraft/core'

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
  const norm = (input) => layers.batchNormalization({ momentum: 0.98 }).apply(input)
  const inner = layers.reLU().apply(norm(conv(x, { strides })))
  const shortcut = strides === 1 && x.shape[3] === filters ? x : norm(conv(x, { strides, kernelSize: 1 }))
  return layers.reLU({ name }).apply(layers.add().apply([norm(conv(inner, {})), shortcut]))
}

/**
 * 28 x 28 x 1 to 10 classes: a stem that halves the image, a block of `width` channels and one of twice as many. Of width 8, it
 * has 6 thousand parameters.
 */
export function smallResNet(seed, width = 8) {
  const input = tfl.input({ shape: [28, 28, 1] })
  const stem = layers.conv2d({
    ...{ filters: width, kernelSize: 3, strides: 2, padding: 'same', useBias: false },
    kernelInitializer: tfl.initializers.heNormal({ seed: seed * 1000 }),
  })
  const norm = layers.batchNormalization({ momentum: 0.98 })
  let x = layers.reLU({ name: 'stem' }).apply(norm.apply(stem.apply(input)))
  x = block(x, width, 1, 'stage1', seed * 1000 + 10)
  x = block(x, 2 * width, 2, 'stage2', seed * 1000 + 20)
  const head = layers.dense({
    ...{ units: 10, activation: 'softmax' },
    kernelInitializer: tfl.initializers.glorotUniform({ seed: seed * 1000 + 30 }),
  })
  return tfl.model({ inputs: input, outputs: head.apply(layers.globalAveragePooling2d({}).apply(x)) })
}

/** AdamW whose rate rises for 50 steps and then falls along a cosine to 0 after `steps`. */
export function baseline(seed, { learningRate = 1.6e-2, steps = 600, width = 8 } = {}) {
  const after = cosineDecay({ initial: learningRate, steps: Math.max(1, steps - 50) })
  return {
    model: smallResNet(seed, width),
    optimizer: adamW({ learningRate: linearWarmup({ steps: 50, after }), weightDecay: 1e-4 }),
    loss: tfl.metrics.categoricalCrossentropy,
    step: defaultStep,
  }
}

/** One step of `epsilon`. */
export const oneStep = (epsilon) => ({ epsilon, stepSize: epsilon, iterations: 1, randomStart: false })

/** The compared methods, by name, for an attack budget. */
export const methods = (epsilon) => ({
  plain: identity,
  advprop: advprop({ attack: oneStep(epsilon), adversarialWeight: 0.25 }),
  fastAdvProp: advprop({ attack: oneStep(epsilon), adversarialWeight: 0.25, gradientReuse: true }),
  sparseTopK: sparseTopK({ k: 0.2, after: 'stem' }),
})
