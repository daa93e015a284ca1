/**
 * What every tfgraft layer must do, as one declaration: shapes, dtype, weights, config round trip, saving and
 * loading, masks, a training step, freezing, Sequential and functional use, and no tensor left behind.
 */
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { expect } from 'vitest'
import { expectClose, type Tolerance } from './close'
import { expectNoTensorLeak } from './tensor-leak'

type Layer = tfl.layers.Layer

export interface LayerContract extends Tolerance {
  /** A fresh layer of the same configuration on each call. Its class must be registered. */
  create: () => Layer
  /** Shape of the input with its batch dimension, or one shape per input. */
  inputShape: number[] | number[][]
  /** Values of input `index`. @default uniform in -1..1, seeded */
  values?: (shape: number[], index: number) => tf.Tensor
  /** Expected shape of the output for `inputShape`, or one shape per output. */
  outputShape: number[] | number[][]
  /** @default 'float32' */
  outputDtype?: tf.DataType
  /** Number of trainable weights. */
  trainableWeights: number
  /** Number of non-trainable weights. @default 0 */
  nonTrainableWeights?: number
  /** Whether the layer passes masks on. A layer that does not must reject a mask. @default false */
  supportsMasking?: boolean
  /** Trainable weights (last part of their names) that one training step may leave as they are. @default [] */
  unchangedWeights?: readonly string[]
  /** Whether gradients flow through the layer, so that a training step can be taken. @default true */
  differentiable?: boolean
}

const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value])
const shapes = (shape: number[] | number[][]) => (Array.isArray(shape[0]) ? shape : [shape]) as number[][]
const json = <T>(value: T): T => JSON.parse(JSON.stringify(value))
const partName = (weight: { originalName: string }) => weight.originalName.split('/').at(-1)!

function functionalModel(layer: Layer, inputs: tf.Tensor[]): tfl.LayersModel {
  const symbols = inputs.map(({ shape, dtype }) => tfl.input({ shape: shape.slice(1), dtype }))
  const outputs = layer.apply(symbols.length === 1 ? symbols[0]! : symbols) as tfl.SymbolicTensor
  return tfl.model({ inputs: symbols, outputs })
}

const predict = (model: tfl.LayersModel, inputs: tf.Tensor[]) =>
  list(model.predict(inputs.length === 1 ? inputs[0]! : inputs))

function expectSame(actual: tf.Tensor[], expected: tf.Tensor[], what: string, tolerance: Tolerance): void {
  expect(actual.length, `${what}: number of outputs`).toBe(expected.length)
  actual.forEach((tensor, i) => {
    try {
      expectClose(tensor, expected[i]!, tolerance)
    } catch (error) {
      throw new Error(`${what}, output ${i}: ${(error as Error).message}`)
    }
  })
}

function checkShapes(contract: LayerContract, inputs: tf.Tensor[]): void {
  const layer = contract.create()
  const given = inputs.length === 1 ? inputs[0]! : inputs
  const outputs = list(layer.apply(given) as tf.Tensor | tf.Tensor[])
  const expected = shapes(contract.outputShape)
  expect(
    outputs.map(({ shape }) => shape),
    'output shape',
  ).toEqual(expected)
  for (const { dtype } of outputs) expect(dtype, 'output dtype').toBe(contract.outputDtype ?? 'float32')

  const inferred = (batch: number | null) => {
    const batched = inputs.map(({ shape }) => [batch, ...shape.slice(1)])
    return shapes(layer.computeOutputShape(inputs.length === 1 ? batched[0]! : batched) as number[])
  }
  expect(inferred(inputs[0]!.shape[0]!), 'computeOutputShape').toEqual(expected)
  expect(
    inferred(null).map((shape) => shape.slice(1)),
    'computeOutputShape with an unknown batch size',
  ).toEqual(expected.map((shape) => shape.slice(1)))

  expect(layer.trainableWeights.length, 'number of trainable weights').toBe(contract.trainableWeights)
  expect(layer.nonTrainableWeights.length, 'number of non-trainable weights').toBe(
    contract.nonTrainableWeights ?? 0,
  )
  const names = layer.weights.map(({ name }) => name)
  expect(new Set(names).size, `weight names are unique: ${names}`).toBe(names.length)
  layer.trainable = false
  expect(layer.trainableWeights.length, 'trainable weights of a frozen layer').toBe(0)
  layer.dispose()
}

function checkConfig(contract: LayerContract, inputs: tf.Tensor[]): void {
  const layer = contract.create()
  const given = inputs.length === 1 ? inputs[0]! : inputs
  const before = list(layer.apply(given) as tf.Tensor | tf.Tensor[])
  const Class = layer.constructor as unknown as tf.serialization.SerializableConstructor<Layer> & {
    className: string
    fromConfig: (cls: unknown, config: tf.serialization.ConfigDict) => Layer
  }
  const copy = Class.fromConfig(Class, json(layer.getConfig()))
  expect(json(copy.getConfig()), 'getConfig of fromConfig').toEqual(json(layer.getConfig()))
  expect(copy.getClassName(), 'class of fromConfig').toBe(layer.getClassName())
  const again = list(copy.apply(given) as tf.Tensor | tf.Tensor[])
  copy.setWeights(layer.getWeights())
  expect(again.length).toBe(before.length)
  const after = list(copy.apply(given) as tf.Tensor | tf.Tensor[])
  expectSame(after, before, 'a layer from its config with the same weights', contract)
  layer.dispose()
  copy.dispose()
}

async function checkModels(contract: LayerContract, inputs: tf.Tensor[]): Promise<void> {
  const model = functionalModel(contract.create(), inputs)
  const before = predict(model, inputs)
  const expectPrediction = (actual: tfl.LayersModel, what: string, tolerance: Tolerance) =>
    tf.tidy(() => expectSame(predict(actual, inputs), before, what, tolerance))
  expectPrediction(model, 'predicting twice', { rtol: 0, atol: 0 })

  let artifacts: tf.io.ModelArtifacts | undefined
  await model.save(
    tf.io.withSaveHandler(async (saved) => {
      artifacts = saved
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
    }),
  )
  const stored = { ...artifacts!, modelTopology: json(artifacts!.modelTopology as object) }
  const loaded = await tfl.loadLayersModel(tf.io.fromMemory(stored))
  expectPrediction(loaded, 'a saved and loaded model', contract)
  loaded.dispose()

  if (inputs.length === 1 && before.length === 1) {
    const layer = contract.create()
    const { shape, dtype } = inputs[0]!
    const sequential = tfl.sequential({
      layers: [tfl.layers.inputLayer({ inputShape: shape.slice(1), dtype }), layer],
    })
    layer.setWeights(model.getWeights())
    expectPrediction(sequential, 'a Sequential model', contract)
    sequential.dispose()
  }
  tf.dispose(before)
  model.dispose()
}

function checkMasks(contract: LayerContract, inputs: tf.Tensor[]): void {
  const layer = contract.create()
  const supports = contract.supportsMasking ?? false
  expect(layer.supportsMasking, 'supportsMasking').toBe(supports)
  const given = inputs.length === 1 ? inputs[0]! : inputs
  layer.apply(given)
  const masks = inputs.map(({ shape }) => tf.ones(shape.slice(0, 2), 'bool'))
  const mask = masks.length === 1 ? masks[0]! : masks
  if (supports) expect(() => layer.computeMask(given, mask), 'computeMask').not.toThrow()
  else expect(() => layer.computeMask(given, mask), 'a mask given to a layer without masks').toThrow()
  layer.dispose()
}

/** A layer without weights trains the layers below it: its gradient to the inputs exists and is finite. */
function checkInputGradient(contract: LayerContract, inputs: tf.Tensor[]): void {
  const layer = contract.create()
  const total = (...xs: tf.Tensor[]) =>
    tf.addN(list(layer.apply(xs.length === 1 ? xs[0]! : xs) as tf.Tensor).map((y) => tf.sum(y))) as tf.Scalar
  for (const gradient of tf.grads(total)(inputs))
    expect(gradient.dataSync().every(Number.isFinite), 'the gradient to the input is finite').toBe(true)
}

async function checkTraining(contract: LayerContract, inputs: tf.Tensor[]): Promise<void> {
  const layer = contract.create()
  const model = functionalModel(layer, inputs)
  const targets = tf.tidy(() =>
    predict(model, inputs).map((output, i) => tf.randomNormal(output.shape, 0, 1, 'float32', 11 + i)),
  )
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  const step = () => model.trainOnBatch(inputs, targets)
  const before = layer.trainableWeights.map((weight) => weight.read().dataSync().slice())
  await step()
  layer.trainableWeights.forEach((weight, i) => {
    const after = weight.read().dataSync()
    expect(after.every(Number.isFinite), `${weight.name} is finite after a training step`).toBe(true)
    const changed = after.some((value, k) => value !== before[i]![k])
    if (!contract.unchangedWeights?.includes(partName(weight)))
      expect(changed, `a training step changes ${weight.name}`).toBe(true)
  })
  await expectNoTensorLeak(async () => {
    await step()
  })
  tf.dispose(targets)
  model.dispose()
}

/**
 * Throws unless the layer keeps the contract on the current backend, and leaves no tensor behind.
 *
 * ```ts
 * describeBackends('ProxDense', () => {
 *   it('keeps the layer contract', () =>
 *     expectLayerContract({
 *       create: () => proxDense({ units: 3 }),
 *       inputShape: [2, 5],
 *       outputShape: [2, 3],
 *       trainableWeights: 2,
 *     }))
 * })
 * ```
 */
export async function expectLayerContract(contract: LayerContract): Promise<void> {
  const values = contract.values ?? ((shape, index) => tf.randomUniform(shape, -1, 1, 'float32', 101 + index))
  const inputs = shapes(contract.inputShape).map((shape, index) => values(shape, index))
  try {
    for (const check of [checkShapes, checkConfig, checkMasks])
      await expectNoTensorLeak(() => tf.tidy(() => check(contract, inputs)))
    await expectNoTensorLeak(() => checkModels(contract, inputs))
    if (contract.differentiable === false) return
    if (contract.trainableWeights) await expectNoTensorLeak(() => checkTraining(contract, inputs))
    else tf.tidy(() => checkInputGradient(contract, inputs))
  } finally {
    tf.dispose(inputs)
  }
}
