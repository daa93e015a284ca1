import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { adamW, compose, defaultStep, type TrainingSetup } from '@tfgraft/core'
import { describeBackends, expectClose } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { proximalLayer } from './proximal-layer'
import { proxprop } from './proxprop'

const { layers } = tfl
const setupOf = (model: tfl.LayersModel, optimizer: tf.Optimizer = tf.train.sgd(1)): TrainingSetup => ({
  model,
  optimizer,
  loss: tfl.metrics.categoricalCrossentropy,
  step: defaultStep,
})
const classNames = (model: tfl.LayersModel) => model.layers.map((layer) => layer.getClassName())

const mlp = () =>
  tfl.sequential({
    layers: [
      layers.dense({ units: 6, activation: 'relu', inputShape: [5], name: 'first' }),
      layers.dense({ units: 4, activation: 'tanh', name: 'second' }),
      layers.dense({ units: 3, name: 'logits' }),
      layers.activation({ activation: 'softmax' }),
    ],
  })

/** Two inputs, a shared layer, a nested model, two outputs. */
const graph = () => {
  const [a, b] = [tfl.input({ shape: [4] }), tfl.input({ shape: [4] })]
  const shared = layers.dense({ units: 5, activation: 'relu', name: 'shared' })
  const nested = tfl.sequential({
    layers: [layers.dense({ units: 3, inputShape: [10], name: 'inner' })],
    name: 'nested',
  })
  const joined = layers.concatenate().apply([shared.apply(a), shared.apply(b)] as tfl.SymbolicTensor[])
  const inner = nested.apply(joined) as tfl.SymbolicTensor
  const one = layers
    .dense({ units: 2, activation: 'softmax', name: 'one' })
    .apply(inner) as tfl.SymbolicTensor
  const two = layers
    .dense({ units: 2, activation: 'softmax', name: 'two' })
    .apply(joined) as tfl.SymbolicTensor
  return tfl.model({ inputs: [a, b], outputs: [one, two] })
}

const batch = (inputs: number, classes: number) => ({
  xs: tf.randomNormal([8, inputs], 0, 1, 'float32', 4),
  ys: tf.oneHot(tf.tensor1d([0, 1, 0, 1, 1, 0, 1, 0], 'int32'), classes),
})

const optimizers: Record<string, () => tf.Optimizer> = {
  sgd: () => tf.train.sgd(0.5),
  nesterov: () => tf.train.momentum(0.2, 0.95, true),
  adam: () => tf.train.adam(0.01),
  adamW: () => adamW({ learningRate: 0.01, weightDecay: 0.01 }),
  rmsprop: () => tf.train.rmsprop(0.01),
}

describeBackends('proxprop', () => {
  it('replaces all layers but the output layer, and keeps the function', () => {
    tf.tidy(() => {
      const model = mlp()
      const { xs } = batch(5, 3)
      const grafted = proxprop().apply(setupOf(model)).model
      expect(classNames(grafted)).toEqual(['ProxDense', 'ProxDense', 'Dense', 'Activation'])
      expectClose(grafted.predict(xs) as tf.Tensor, model.predict(xs) as tf.Tensor, { atol: 1e-6 })
      model.dispose()
      grafted.dispose()
    })
  })

  it('finds layers in graphs with shared layers, nested models and several outputs', () => {
    tf.tidy(() => {
      const model = graph()
      const grafted = proxprop({ tau: 0.1 }).apply(setupOf(model)).model
      const inner = grafted.getLayer('nested') as tfl.LayersModel
      const kind = (name: string) => grafted.getLayer(name).getClassName()
      expect([kind('shared'), classNames(inner).at(-1), kind('one'), kind('two')]).toEqual([
        'ProxDense',
        'ProxDense',
        'Dense',
        'Dense',
      ])
      const xs = [1, 2].map((seed) => tf.randomNormal([3, 4], 0, 1, 'float32', seed))
      const [actual, expected] = [grafted, model].map((m) => m.predict(xs) as tf.Tensor[])
      actual!.forEach((output, i) => void expectClose(output, expected![i]!))
      model.dispose()
      grafted.dispose()
    })
  })

  it.each(Object.keys(optimizers))('lowers the loss under %s, in model.fit', async (name) => {
    const { model } = proxprop({ tau: 0.5 }).apply(setupOf(mlp()))
    model.compile({ optimizer: optimizers[name]!(), loss: 'categoricalCrossentropy' })
    const { xs, ys } = batch(5, 3)
    const { history } = await model.fit(xs, ys, { epochs: 12, batchSize: 8, verbose: 0 })
    const losses = history.loss as number[]
    expect(losses.at(-1)!).toBeLessThan(0.9 * losses[0]!)
    tf.dispose([xs, ys])
    model.dispose()
  })

  it('trains a graph with a shared layer, two inputs and two outputs, in model.fit', async () => {
    const { model } = proxprop({ tau: 0.5 }).apply(setupOf(graph()))
    model.compile({ optimizer: tf.train.sgd(0.5), loss: 'categoricalCrossentropy' })
    const xs = [1, 2].map((seed) => tf.randomNormal([8, 4], 0, 1, 'float32', seed))
    const { ys } = batch(4, 2)
    const { history } = await model.fit(xs, [ys, ys], { epochs: 12, batchSize: 8, verbose: 0 })
    const losses = history.loss as number[]
    expect(losses.at(-1)!).toBeLessThan(0.9 * losses[0]!)
    tf.dispose([xs, ys])
    model.dispose()
  })

  it('leaves frozen layers as they are in model.fit, frozen before or after', async () => {
    const plain = mlp()
    plain.getLayer('first').trainable = false
    const { model } = proxprop().apply(setupOf(plain))
    model.getLayer('second').trainable = false
    model.compile({ optimizer: tf.train.sgd(0.5), loss: 'categoricalCrossentropy' })
    const values = () => model.layers.map((layer) => layer.getWeights().map((w) => [...w.dataSync()]))
    const before = values()
    const { xs, ys } = batch(5, 3)
    await model.fit(xs, ys, { epochs: 2, batchSize: 8, verbose: 0 })
    const after = values()
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2))
    expect(after[2]).not.toEqual(before[2])
    tf.dispose([xs, ys])
    model.dispose()
  })

  it('follows a schedule of tau, also after another method rebuilt the model', () => {
    const steps: number[] = []
    const schedule = (step: number) => {
      steps.push(step)
      return 1 / (step + 1)
    }
    const rebuild = {
      ...proxprop(),
      apply: (setup: TrainingSetup) => proxprop({ layers: ['logits'] }).apply(setup),
    }
    const setup = compose(proxprop({ tau: schedule, layers: ['first'] }), rebuild).apply(setupOf(mlp()))
    tf.tidy(() => {
      for (const step of [0, 3]) setup.step(setup, batch(5, 3), { epoch: 0, step, seed: 0 })
    })
    expect(steps).toEqual([0, 0, 3])
    expect((setup.model.getLayer('first') as unknown as { tau: number }).tau).toBe(0.25)
    setup.model.dispose()
  })

  it('takes layers by name or test, and classes made by proximalLayer', () => {
    tf.tidy(() => {
      const byName = proxprop({ layers: ['logits'] }).apply(setupOf(mlp())).model
      expect(classNames(byName)).toEqual(['Dense', 'Dense', 'ProxDense', 'Activation'])
      const byTest = proxprop({ layers: ({ name }) => name === 'second' }).apply(setupOf(mlp())).model
      expect(classNames(byTest)).toEqual(['Dense', 'ProxDense', 'Dense', 'Activation'])
      const Conv1D = proximalLayer<Parameters<typeof layers.conv1d>[0]>({
        className: 'ProxConv1DOfMethodTest',
        layer: layers.conv1d,
        map: (x, [kernel, bias]) =>
          tf.add(tf.conv1d(x as tf.Tensor3D, kernel as tf.Tensor3D, 1, 'valid'), bias!),
      })
      tf.serialization.registerClass(Conv1D, '@tfgraft/proxprop')
      const sequence = tfl.sequential({
        layers: [
          layers.conv1d({ filters: 2, kernelSize: 2, inputShape: [5, 1] }),
          layers.flatten(),
          layers.dense({ units: 2 }),
        ],
      })
      const { model } = proxprop({ classes: { Conv1D } }).apply(setupOf(sequence))
      expect(classNames(model)).toEqual(['ProxConv1DOfMethodTest', 'Flatten', 'Dense'])
    })
  })

  it('rejects layers that it cannot replace', () => {
    const setup = setupOf(mlp())
    expect(() => proxprop({ layers: ['third'] }).apply(setup)).toThrow(
      /^proxprop: `layers` must name layers of the model: first, second, logits, .* Received third\.$/,
    )
    expect(() => proxprop({ layers: () => true }).apply(setup)).toThrow(
      /^proxprop: a replaced layer must be a Dense or Conv2D\. Received .* \(Activation\)\.$/,
    )
    expect(() => proxprop({ layers: [] }).apply(setup)).toThrow(
      'proxprop: the model must have a layer to replace',
    )
    expect(() => proxprop({ tau: () => -1 })).toThrow(
      'proxprop: `tau` must be a finite number above 0. Received tau=-1.',
    )
    setup.model.dispose()
  })
})
