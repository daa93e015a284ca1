import * as tf from '@tensorflow/tfjs-core'
import { input, layers, model, sequential } from '@tensorflow/tfjs-layers'
import { describeBackends, describeOp, expectClose, expectGradients } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { crossEntropy, crossEntropyGradient } from '../ops/cross-entropy'

const probabilities = (shape: number[], seed = 1) =>
  tf.tidy(() => tf.softmax(tf.randomNormal(shape, 0, 2, 'float32', seed)))
const shapes = [
  [1, 1],
  [3, 4],
  [5, 10],
  [2, 3, 7],
  [9, 33],
]

const cases = shapes.flatMap((shape) => [
  {
    title: `rows of labels, [${shape}]`,
    inputs: () => ({ p: probabilities(shape), labels: tf.randomUniform(shape, 0, 1, 'float32', 2) }),
    attrs: undefined,
  },
  {
    title: `classes, [${shape}]`,
    inputs: () => ({
      p: probabilities(shape),
      classes: tf.randomUniform(shape.slice(0, -1), -1, shape.at(-1)!, 'int32', 3),
    }),
    attrs: undefined,
  },
])
/** Zeros, ones and what is near them, where the clipping counts; not at its very border. */
const borders = () => tf.tensor2d([1, 0, 0, 1e-9, 0.3, 0.7, 0, 0.25, 0.25], [3, 3])
const clipped = [
  {
    title: 'zeros and ones, rows of labels',
    inputs: () => ({ p: borders(), labels: tf.tensor2d([1, 0, 0, 0.5, 0.2, 0.3, 1, 1, 0], [3, 3]) }),
    attrs: undefined,
  },
  {
    title: 'zeros and ones, classes',
    inputs: () => ({ p: borders(), classes: tf.tensor1d([1, 2, 0], 'int32') }),
    attrs: undefined,
  },
]

describeOp(crossEntropy, [...cases, ...clipped.map((row) => ({ ...row, gradient: false }))])
describeOp(
  crossEntropyGradient,
  [...cases, ...clipped].map((row) => ({
    ...row,
    inputs: () => {
      const given = row.inputs()
      return { ...given, dy: tf.randomNormal(given.p.shape.slice(0, -1), 0, 1, 'float32', 5) }
    },
    gradient: false,
  })),
)

function classifier(loss: string | string[] | Record<string, string>, classes = 3) {
  const network = sequential({
    layers: [
      layers.dense({ units: classes, inputShape: [2], activation: 'softmax', kernelInitializer: 'ones' }),
    ],
  })
  network.compile({ optimizer: tf.train.sgd(0.5), loss: loss as never, metrics: ['accuracy'] })
  return network
}

const x = () => tf.randomNormal([6, 2], 0, 1, 'float32', 1)
const labels = [0, 2, 1, 1, 0, 2]
const targets = {
  categoricalCrossentropy: () => tf.oneHot(labels, 3) as tf.Tensor,
  sparseCategoricalCrossentropy: () => tf.tensor2d(labels, [6, 1]) as tf.Tensor,
}
type Name = keyof typeof targets

describeBackends('cross entropies of model.compile', (backend) => {
  it.each(Object.keys(targets) as Name[])('%s: losses and accuracies as on tfjs-cpu', async (name) => {
    const fit = async () => {
      const network = classifier(name)
      const [inputs, y] = [x(), targets[name]()]
      const { history } = await network.fit(inputs, y, { epochs: 3, batchSize: 6, verbose: 0 })
      const [loss, accuracy] = network.evaluate(inputs, y) as tf.Scalar[]
      const result = [...history.loss!, ...history.acc!, ...loss!.dataSync(), ...accuracy!.dataSync()]
      network.dispose()
      tf.dispose([inputs, y, loss!, accuracy!])
      return result as number[]
    }
    const actual = await fit()
    await tf.setBackend('cpu')
    const expected = await fit()
    await tf.setBackend(backend)
    expectClose(actual, expected)
    // Saved models name their loss.
    const network = classifier(name)
    expect(network.loss).toBe(name)
    network.dispose()
  })

  it.each(Object.keys(targets) as Name[])(
    '%s runs as one op on wasm, for each output of a model',
    async (name) => {
      const image = input({ shape: [2] })
      const outputs = ['a', 'b'].map((name) =>
        layers.dense({ units: 3, activation: 'softmax', name }).apply(image),
      )
      const [inputs, y] = [x(), targets[name]()]
      for (const loss of [name, [name, 'meanSquaredError'], { a: 'meanSquaredError', b: name }]) {
        const network = model({ inputs: image, outputs: outputs as never })
        network.compile({ optimizer: 'sgd', loss: loss as never })
        const dense = tf.zeros([6, 3])
        const given = Array.isArray(loss) ? [y, dense] : typeof loss === 'string' ? [y, y] : [dense, y]
        const { kernels } = await tf.profile(() => network.evaluate(inputs, given) as tf.Tensor[])
        const expected = backend === 'wasm' ? (typeof loss === 'string' ? 2 : 1) : 0
        expect(kernels.filter(({ name }) => name === 'backends/CrossEntropy')).toHaveLength(expected)
        dense.dispose()
      }
      tf.dispose([inputs, y])
    },
  )

  it('has the gradients of finite differences', () => {
    tf.tidy(() => {
      const p = tf.div(tf.add(probabilities([3, 4]), 1), 5)
      const rows = tf.randomUniform([3, 4], 0, 1, 'float32', 2)
      expectGradients((p, labels) => crossEntropy({ p: p!, labels: labels! }), [p, rows])
      const classes = tf.tensor1d([3, -1, 0], 'int32')
      expectGradients((p) => crossEntropy({ p: p!, classes }), [p])
    })
  })
})
