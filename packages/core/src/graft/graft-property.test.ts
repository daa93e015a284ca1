import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose } from '@tfgraft/testing'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { graft, type Replace } from './graft'
import { randomizeWeights } from './graft-cases'

const { layers } = tfl
type Symbols = tfl.SymbolicTensor

const width = 3
const kinds = ['dense', 'shared', 'norm', 'activation', 'add', 'concatenate', 'nested'] as const
interface NodeChoice {
  kind: (typeof kinds)[number]
  a: number
  b: number
  frozen: boolean
}

/** A graph of two inputs whose node i takes its inputs among all tensors made before it. */
function buildGraph(nodes: readonly NodeChoice[], outputs: readonly number[]): tfl.LayersModel {
  const inputs = ['left', 'right'].map((name) => tfl.input({ shape: [width], name }))
  const tensors: Symbols[] = [layers.add({ name: 'start' }).apply(inputs) as Symbols, ...inputs]
  const shared = layers.dense({ units: width, activation: 'tanh', name: 'shared' })
  const block = tfl.sequential({
    name: 'block',
    layers: [layers.dense({ units: width, inputShape: [width], name: 'inner' })],
  })
  nodes.forEach(({ kind, a, b, frozen }, i) => {
    const [x, y] = [tensors[a % tensors.length]!, tensors[b % tensors.length]!]
    const name = `${kind}_${i}`
    const made = {
      dense: () => layers.dense({ units: width, name, trainable: !frozen }).apply(x),
      shared: () => shared.apply(x),
      norm: () => layers.batchNormalization({ name }).apply(x),
      activation: () => layers.activation({ activation: 'sigmoid', name }).apply(x),
      add: () => layers.add({ name }).apply([x, y]),
      concatenate: () =>
        layers
          .dense({ units: width, name })
          .apply(layers.concatenate({ name: `join_${i}` }).apply([x, y]) as Symbols),
      nested: () => block.apply(x),
    }[kind]()
    tensors.push(made as Symbols)
  })
  const ends = [...new Set([0, ...outputs.map((o) => o % tensors.length)])].filter((o) => o < 1 || o > 2)
  return tfl.model({ inputs, outputs: ends.map((o) => tensors[o]!) })
}

const graph = fc.tuple(
  fc.array(
    fc.record({ kind: fc.constantFrom(...kinds), a: fc.nat(20), b: fc.nat(20), frozen: fc.boolean() }),
    { minLength: 1, maxLength: 8 },
  ),
  fc.array(fc.nat(20), { minLength: 1, maxLength: 3 }),
)

/** Replacements that compute the same function, in each of the ways a graft allows. */
const identityReplacements: Record<string, Replace> = {
  'keep every layer': () => undefined,
  'insert identities around every layer with one input': (layer) => {
    const linear = () => layers.activation({ activation: 'linear' })
    return layer.inboundNodes[0]!.inputTensors.length > 1 ? undefined : [linear(), layer, linear()]
  },
  'replace dense layers by new ones': (layer) =>
    layer.getClassName() === 'Dense'
      ? layers.dense({ units: width, activation: layer.getConfig().activation as 'tanh' })
      : undefined,
}

describeBackends('graft of random graphs', () => {
  it.each(Object.entries(identityReplacements))('keeps predictions: %s', (_, replace) => {
    fc.assert(
      fc.property(graph, ([nodes, outputs]) => {
        const model = buildGraph(nodes, outputs)
        randomizeWeights(model)
        const grafted = graft(model, replace)
        tf.tidy(() => {
          const inputs = [
            tf.randomUniform([2, width], -1, 1, 'float32', 1),
            tf.randomUniform([2, width], -1, 1, 'float32', 2),
          ]
          const [expected, received] = [model, grafted].map((m) => [m.predict(inputs)].flat())
          received!.forEach((y, i) => {
            expectClose(y, expected![i]!, { rtol: 1e-6, atol: 1e-6 })
          })
        })
        expect(grafted.trainableWeights.length).toBe(model.trainableWeights.length)
        for (const { name } of model.layers) expect(grafted.getLayer(name)).toBeDefined()
        for (const m of [model, grafted]) m.dispose()
      }),
      { numRuns: 25, seed: 1 },
    )
  })
})
