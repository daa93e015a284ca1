import '@tensorflow/tfjs' // registers chained ops, without which the orthogonal initializer of tfjs-layers fails
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { beforeAll, expect, it } from 'vitest'
import { graft } from './graft'
import { graftCases, randomizeWeights } from './graft-cases'

const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value])
const predict = (model: tfl.LayersModel, inputs: tf.Tensor[]) =>
  list(model.predict(inputs.length === 1 ? inputs[0]! : inputs))

function expectSamePredictions(a: tfl.LayersModel, b: tfl.LayersModel, inputs: tf.Tensor[]): void {
  tf.tidy(() => {
    const expected = predict(b, inputs)
    predict(a, inputs).forEach((y, i) => {
      expectClose(y, expected[i]!, { rtol: 0, atol: 1e-6 })
    })
  })
}

async function saveAndLoad(model: tfl.LayersModel): Promise<tfl.LayersModel> {
  let saved: tf.io.ModelArtifacts | undefined
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
    }),
  )
  const modelTopology = JSON.parse(JSON.stringify(saved!.modelTopology))
  return tfl.loadLayersModel(tf.io.fromMemory({ ...saved!, modelTopology }))
}

/** A dense layer that stores its kernel transposed: equal shapes do not do, it has to adopt. */
class TransposedDense extends tfl.layers.Layer {
  static get className() {
    return 'GraftTransposedDense'
  }
  private kernel!: tfl.LayerVariable
  private bias!: tfl.LayerVariable
  constructor(private readonly args: { units: number; name?: string }) {
    super(args)
  }
  override build(inputShape: tfl.Shape): void {
    const zeros = tfl.initializers.zeros()
    this.bias = this.addWeight('bias', [this.args.units], 'float32', zeros)
    this.kernel = this.addWeight('kernel', [this.args.units, inputShape.at(-1)!], 'float32', zeros)
    this.built = true
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = list(inputs)[0] as tf.Tensor2D
    return tf.add(tf.matMul(x, this.kernel.read() as tf.Tensor2D, false, true), this.bias.read())
  }
  override computeOutputShape(inputShape: tfl.Shape): tfl.Shape {
    return [...inputShape.slice(0, -1), this.args.units]
  }
  override getConfig() {
    return { ...super.getConfig(), units: this.args.units }
  }
  adoptWeights(old: tfl.layers.Layer): void {
    const [kernel, bias] = old.getWeights()
    tf.tidy(() => {
      this.kernel.write(tf.transpose(kernel!))
    })
    this.bias.write(bias!)
  }
}
tf.serialization.registerClass(TransposedDense, '@tfgraft/core')

const mlp = () => {
  const { dense } = tfl.layers
  const model = tfl.sequential({
    layers: [
      dense({ units: 3, inputShape: [4], name: 'first' }),
      dense({ units: 3, activation: 'relu', name: 'second' }),
      dense({ units: 2, name: 'third' }),
    ],
  })
  randomizeWeights(model)
  return model
}

describeBackends('graft', () => {
  it.each(graftCases)('keeps predictions, names, flags and weights: $title', async ({ build, inputs }) => {
    const model = build()
    randomizeWeights(model)
    const xs = inputs()
    const nodes = model.layers.map(({ inboundNodes }) => inboundNodes.length)
    const before = tf.tidy(() => model.getWeights().map((w) => w.dataSync().slice()))

    const copy = graft(model, () => undefined)
    expectSamePredictions(copy, model, xs)
    for (const key of ['name', 'inputNames', 'outputNames'] as const) expect(copy[key]).toEqual(model[key])
    expect(copy.constructor).toBe(model.constructor)
    expect(copy.layers.map(({ name }) => name)).toEqual(model.layers.map(({ name }) => name))
    for (const weights of ['trainableWeights', 'nonTrainableWeights'] as const)
      expect(copy[weights].map((w) => w.originalName)).toEqual(model[weights].map((w) => w.originalName))
    expect(copy.layers.map((l) => l.losses.length)).toEqual(model.layers.map((l) => l.losses.length))

    const loaded = await saveAndLoad(copy)
    expectSamePredictions(loaded, model, xs)

    // The copy shares nothing with the model.
    randomizeWeights(copy, 77)
    const after = tf.tidy(() => model.getWeights().map((w) => w.dataSync()))
    expect(after).toEqual(before)
    expect(model.layers.map(({ inboundNodes }) => inboundNodes.length)).toEqual(nodes)
  })

  it('replaces a layer by one of equal shapes, which takes the name, the weights and the frozen flag', async () => {
    const model = mlp()
    model.getLayer('second').trainable = false
    const grafted = graft(model, (layer) =>
      layer.name === 'second' ? tfl.layers.dense({ units: 3, activation: 'relu' }) : undefined,
    )
    const x = tf.randomUniform([5, 4])
    expectSamePredictions(grafted, model, [x])
    expect(grafted.getLayer('second').trainable).toBe(false)
    expect(grafted.trainableWeights.length).toBe(4)
    expectSamePredictions(await saveAndLoad(grafted), model, [x])
  })

  it('lets a replacement adopt weights in its own layout, everywhere a shared layer is used', async () => {
    const { build, inputs } = graftCases.find(({ title }) => title.startsWith('shared'))!
    const model = build()
    randomizeWeights(model)
    const asked: string[] = []
    const grafted = graft(model, (layer) => {
      asked.push(layer.name)
      return layer.name === 'head' ? new TransposedDense({ units: 2 }) : undefined
    })
    expect(asked.sort()).toEqual(['head', 'join', 'narrow', 'shared', 'sum'])
    expect(grafted.getLayer('head')).toBeInstanceOf(TransposedDense)
    expectSamePredictions(grafted, model, inputs())
    expectSamePredictions(await saveAndLoad(grafted), model, inputs())
  })

  it('asks about the layers of nested models, and can replace a nested model whole', () => {
    const { build, inputs } = graftCases.find(({ title }) => title.startsWith('nested'))!
    const model = build()
    randomizeWeights(model)
    const inside = graft(model, (layer) =>
      layer.name === 'x' ? new TransposedDense({ units: 2 }) : undefined,
    )
    expectSamePredictions(inside, model, inputs())
    const whole = graft(model, (layer) =>
      layer.name === 'inner'
        ? tfl.sequential({
            layers: [
              tfl.layers.dense({ units: 3, inputShape: [4], activation: 'relu' }),
              tfl.layers.batchNormalization(),
            ],
          })
        : undefined,
    )
    expectSamePredictions(whole, model, inputs())
  })

  it('inserts layers before and after a layer that it keeps', async () => {
    const model = mlp()
    const { activation } = tfl.layers
    const grafted = graft(model, (layer) =>
      layer.name === 'first'
        ? [activation({ activation: 'linear' }), layer, activation({ activation: 'linear' })]
        : undefined,
    )
    expect(grafted.layers.length).toBe(6) // an input layer too, so that the input keeps its name
    expect(grafted.inputNames).toEqual(['first_input'])
    const x = tf.randomUniform([5, 4])
    expectSamePredictions(grafted, model, [x])
    expectSamePredictions(await saveAndLoad(grafted), model, [x])
  })

  it('splits a layer into a chain, of which the layer with equal shapes takes weights and name', () => {
    const model = mlp()
    const grafted = graft(model, (layer) =>
      layer.name === 'second'
        ? [tfl.layers.dense({ units: 3 }), tfl.layers.activation({ activation: 'relu' })]
        : undefined,
    )
    expect(grafted.layers[1]!.name).toBe('second')
    expectSamePredictions(grafted, model, [tf.randomUniform([5, 4])])
  })

  it('removes a layer without weights', () => {
    const model = tfl.sequential({
      layers: [tfl.layers.dropout({ rate: 0.5, inputShape: [4] }), tfl.layers.dense({ units: 2 })],
    })
    const grafted = graft(model, (layer) => (layer.getClassName() === 'Dropout' ? [] : undefined))
    expect(grafted.layers.map((layer) => layer.getClassName())).toEqual(['InputLayer', 'Dense'])
    expectSamePredictions(grafted, model, [tf.randomUniform([5, 4])])
  })

  it('keeps the names of inserted layers unique', () => {
    const model = mlp()
    const grafted = graft(model, (layer) => [
      layer,
      tfl.layers.activation({ activation: 'relu', name: 'third' }),
    ])
    expect(grafted.layers.map(({ name }) => name)).toEqual([
      'first',
      'third_1',
      'second',
      'third_2',
      'third',
      'third_3',
    ])
  })

  it('leaves no tensor behind but the weights of the new model', async () => {
    const model = mlp()
    await expectNoTensorLeak(() => graft(model, () => undefined), 6)
  })

  it('carries a frozen model and user-defined metadata', () => {
    const model = mlp()
    model.trainable = false
    model.setUserDefinedMetadata({ classes: 2 })
    const copy = graft(model, () => undefined)
    expect(copy.trainableWeights).toEqual([])
    expect(copy.getUserDefinedMetadata()).toEqual({ classes: 2 })
  })

  it('rejects what cannot be carried, naming layer, class and shapes', () => {
    const model = mlp()
    const replaceSecond = (make: () => unknown) =>
      graft(model, (layer) => (layer.name === 'second' ? (make() as tfl.layers.Layer) : undefined))
    expect(() => replaceSecond(() => tfl.layers.dense({ units: 4 }))).toThrow(
      'layer "second" (Dense, shapes [3,3] [3]) cannot be carried over to Dense (shapes [3,4] [4])',
    )
    expect(() => replaceSecond(() => [])).toThrow('cannot be carried over to nothing')
    expect(() => replaceSecond(() => 'dense')).toThrow('must be a layer. Received dense.')
    expect(() => replaceSecond(() => model.getLayer('first'))).toThrow('must not be part of a model yet')
    const same = tfl.layers.dense({ units: 3 })
    expect(() => graft(model, () => same)).toThrow('must be a new layer for each replaced layer')
    expect(() => graft(model, (layer) => [layer, layer])).toThrow('may keep layer "first" (Dense) once')
    expect(() => graft({} as tfl.LayersModel, () => undefined)).toThrow('must be a tf.LayersModel')
    expect(() => graft(tfl.sequential(), () => undefined)).toThrow('must be built')
    expect(() => graft(model, undefined as never)).toThrow('`replace` must be a function')
    const method = { name: 'mixup', apply: (setup: unknown) => setup }
    expect(() => graft(model, method as never)).toThrow('Received the method "mixup": use its apply(')
    model.getLayer('first').addLoss(() => tf.scalar(1))
    expect(() => graft(model, () => undefined)).toThrow('losses, of which its config carries 0')
  })

  it('rejects a layer whose config does not rebuild it, and a replacement with other outputs', () => {
    class Forgetful extends tfl.layers.Layer {
      static get className() {
        return 'GraftForgetful'
      }
      readonly factor: number
      constructor(args: { factor?: number; name?: string }) {
        super(args)
        this.factor = args.factor ?? 1
      }
      override getConfig() {
        return { ...super.getConfig(), scale: this.factor }
      }
    }
    const model = tfl.sequential({
      layers: [tfl.layers.inputLayer({ inputShape: [2] }), new Forgetful({ factor: 3 })],
    })
    expect(() => graft(model, () => undefined)).toThrow('does not survive its own config')
    const input = tfl.input({ shape: [3] })
    const output = tfl.layers
      .activation({ activation: 'relu', name: 'act' })
      .apply(input) as tfl.SymbolicTensor
    const functional = tfl.model({ inputs: input, outputs: output })
    const twoOutputs = () => {
      const symbol = tfl.input({ shape: [3] })
      return tfl.model({
        inputs: symbol,
        outputs: [tfl.layers.reLU().apply(symbol) as tfl.SymbolicTensor, symbol],
      })
    }
    expect(() => graft(functional, twoOutputs)).toThrow('must have 1 outputs. Received 2.')
  })
})

beforeAll(() => {
  // Serialising symbolic initial states is a warning of tfjs, not of ours.
  const { warn } = console
  console.warn = (...args) => {
    if (!String(args[0]).includes('non-serializable keyword arguments')) warn(...args)
  }
})
