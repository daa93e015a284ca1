/** The three kinds of model that stock tfjs-wasm cannot train, by plain `compile` and `fit`. */
import * as tf from '@tensorflow/tfjs-core'
import { layers, type Sequential, sequential } from '@tensorflow/tfjs-layers'
import { describeBackends } from '@tfgraft/testing'
import { expect, it } from 'vitest'

async function losses(model: Sequential, x: tf.Tensor, y: tf.Tensor, loss: string, epochs: number) {
  const optimizer = tf.train.adam(0.02)
  model.compile({ optimizer, loss })
  const history = await model.fit(x, y, { epochs, batchSize: x.shape[0], shuffle: false, verbose: 0 })
  optimizer.dispose()
  model.dispose()
  tf.dispose([x, y])
  return history.history.loss as number[]
}

/** A quarter of the first epoch's loss: far below what predicting the class frequencies reaches. */
function expectLearned(values: number[]) {
  expect(values.at(-1)).toBeLessThan(values[0]! / 4)
}

describeBackends('plain model.fit', () => {
  const glorot = (seed: number) => ({ className: 'GlorotUniform', config: { seed } }) as never

  it('trains a LeNet with strided, depthwise and separable convolutions', async () => {
    const model = sequential({
      layers: [
        layers.conv2d({
          inputShape: [12, 12, 1],
          filters: 4,
          kernelSize: 5,
          activation: 'relu',
          kernelInitializer: glorot(1),
        }),
        layers.maxPooling2d({ poolSize: 2 }),
        layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', depthwiseInitializer: glorot(2) }),
        layers.separableConv2d({
          filters: 6,
          kernelSize: 2,
          padding: 'same',
          depthwiseInitializer: glorot(3),
          pointwiseInitializer: glorot(4),
        }),
        layers.conv2d({
          filters: 4,
          kernelSize: 2,
          strides: 2,
          activation: 'relu',
          kernelInitializer: glorot(5),
        }),
        layers.flatten(),
        layers.dense({ units: 2, activation: 'softmax', kernelInitializer: glorot(6) }),
      ],
    })
    // Horizontal against vertical stripes.
    const images = tf.tensor4d(
      Float32Array.from({ length: 8 * 144 }, (_, i) => {
        const [n, row, column] = [Math.floor(i / 144), Math.floor((i % 144) / 12), i % 12]
        return ((n % 2 ? row : column) + Math.floor(n / 2)) % 4 < 2 ? 1 : 0
      }),
      [8, 12, 12, 1],
    )
    const labels = tf.tensor2d(Array.from({ length: 8 }, (_, n) => (n % 2 ? [0, 1] : [1, 0])))
    expectLearned(await losses(model, images, labels, 'categoricalCrossentropy', 15))
  })

  it('trains an embedding with an LSTM classifier', async () => {
    const model = sequential({
      layers: [
        layers.embedding({ inputDim: 10, outputDim: 6, inputLength: 4, embeddingsInitializer: glorot(1) }),
        layers.lstm({ units: 6, kernelInitializer: glorot(2), recurrentInitializer: glorot(3) }),
        layers.dense({ units: 1, activation: 'sigmoid', kernelInitializer: glorot(4) }),
      ],
    })
    const tokens = tf.tensor2d([
      [1, 2, 3, 4],
      [4, 3, 2, 1],
      [5, 2, 6, 4],
      [4, 6, 2, 5],
      [1, 1, 9, 4],
      [4, 9, 1, 1],
    ])
    const labels = tf.tensor2d([[1], [0], [1], [0], [1], [0]])
    expectLearned(await losses(model, tokens, labels, 'binaryCrossentropy', 25))
  })

  it('trains an embedding model with average pooling', async () => {
    const model = sequential({
      layers: [
        layers.embedding({ inputDim: 8, outputDim: 4, inputLength: 3, embeddingsInitializer: glorot(1) }),
        layers.globalAveragePooling1d(),
        layers.dense({ units: 1, kernelInitializer: glorot(2) }),
      ],
    })
    const tokens = tf.tensor2d([
      [1, 2, 3],
      [4, 5, 6],
      [1, 1, 7],
      [4, 4, 7],
    ])
    const targets = tf.tensor2d([[1], [-1], [2], [-2]])
    expectLearned(await losses(model, tokens, targets, 'meanSquaredError', 60))
  })
})
