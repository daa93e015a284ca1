/** Models of every kind that a graft must carry, with an input for each. */
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'

export interface GraftCase {
  title: string
  build: () => tfl.LayersModel
  inputs: () => tf.Tensor[]
}

const { layers } = tfl
type Symbols = tfl.SymbolicTensor
const uniform = (...shape: number[]) => tf.randomUniform(shape, -1, 1, 'float32', 3)

function sharedLayers(): tfl.LayersModel {
  const a = tfl.input({ shape: [4], name: 'left' })
  const b = tfl.input({ shape: [4], name: 'right' })
  const shared = layers.dense({ units: 5, activation: 'tanh', name: 'shared' })
  const sum = layers.add({ name: 'sum' }).apply([shared.apply(a), shared.apply(b)] as Symbols[])
  const again = layers.concatenate({ name: 'join' }).apply([sum, a] as Symbols[]) as Symbols
  const deep = layers.dense({ units: 4, name: 'narrow' }).apply(again)
  const outputs = [shared.apply(deep), layers.dense({ units: 2, name: 'head' }).apply(sum)] as Symbols[]
  return tfl.model({ inputs: [a, b], outputs, name: 'siamese' })
}

function nestedModels(): tfl.LayersModel {
  const inner = tfl.sequential({
    name: 'inner',
    layers: [
      layers.dense({ units: 3, inputShape: [4], activation: 'relu', name: 'dense' }),
      layers.batchNormalization({ name: 'norm' }),
    ],
  })
  const block = tfl.input({ shape: [3] })
  const middle = tfl.model({
    name: 'middle',
    inputs: block,
    outputs: [layers.dense({ units: 2, name: 'x' }).apply(block), block] as Symbols[],
  })
  const input = tfl.input({ shape: [4], name: 'input' })
  const [y, skip] = middle.apply(inner.apply(input)) as Symbols[]
  const second = inner.apply(input) as Symbols // used twice
  const out = layers.concatenate({ name: 'cat' }).apply([y!, skip!, second])
  return tfl.model({
    inputs: input,
    outputs: layers.dense({ units: 1, name: 'outer' }).apply(out) as Symbols,
  })
}

function recurrentWithStates(): tfl.LayersModel {
  const source = tfl.input({ shape: [5, 3], name: 'source' })
  const target = tfl.input({ shape: [4, 3], name: 'target' })
  const gru = layers.gru({ units: 2, returnSequences: true }) as tfl.RNN
  const both = layers.bidirectional({ layer: gru, mergeMode: 'concat', name: 'both' }).apply(source)
  const encoder = layers.lstm({ units: 6, returnState: true, name: 'encoder' })
  const [, h, c] = encoder.apply(both as Symbols) as Symbols[]
  const decoded = layers
    .lstm({ units: 6, returnSequences: true, name: 'decoder' })
    .apply(target, { initialState: [h, c] })
  const each = layers.timeDistributed({ layer: layers.dense({ units: 2 }), name: 'each' })
  return tfl.model({ inputs: [source, target], outputs: each.apply(decoded) as Symbols })
}

function frozenParts(): tfl.LayersModel {
  const input = tfl.input({ shape: [4], name: 'input' })
  const frozen = layers.dense({ units: 4, name: 'frozen', trainable: false })
  const half = layers.dense({ units: 4, name: 'half', kernelRegularizer: tfl.regularizers.l1l2() })
  const norm = layers.batchNormalization({ name: 'norm', momentum: 0.9 })
  const outputs = norm.apply(half.apply(frozen.apply(input))) as Symbols
  half.trainableWeights[0]!.trainable = false // the bias becomes the first weight
  return tfl.model({ inputs: input, outputs })
}

export const graftCases: GraftCase[] = [
  {
    title: 'Sequential MLP',
    build: () =>
      tfl.sequential({
        name: 'mlp',
        layers: [
          layers.dense({
            units: 6,
            inputShape: [4],
            activation: 'relu',
            kernelRegularizer: tfl.regularizers.l2({ l2: 0.1 }),
          }),
          layers.dropout({ rate: 0.5 }),
          layers.dense({ units: 3, activation: 'softmax', useBias: false }),
        ],
      }),
    inputs: () => [uniform(2, 4)],
  },
  {
    title: 'convolutional Sequential with an explicit input layer and non-trainable weights',
    build: () =>
      tfl.sequential({
        layers: [
          layers.inputLayer({ inputShape: [8, 8, 2], name: 'image' }),
          layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same' }),
          layers.batchNormalization(),
          layers.reLU(),
          layers.maxPooling2d({ poolSize: 2 }),
          layers.separableConv2d({ filters: 4, kernelSize: 3 }),
          layers.flatten(),
          layers.dense({ units: 2 }),
        ],
      }),
    inputs: () => [uniform(2, 8, 8, 2)],
  },
  {
    title: 'shared layers, two inputs, two outputs',
    build: sharedLayers,
    inputs: () => [uniform(2, 4), uniform(2, 4)],
  },
  { title: 'nested models, one of them used twice', build: nestedModels, inputs: () => [uniform(3, 4)] },
  {
    title: 'masks from an embedding through an LSTM',
    build: () =>
      tfl.sequential({
        layers: [
          layers.embedding({ inputDim: 7, outputDim: 3, inputLength: 5, maskZero: true }),
          layers.lstm({ units: 4, returnSequences: true }),
          layers.simpleRNN({ units: 2 }),
        ],
      }),
    inputs: () => [
      tf.tensor2d(
        [
          [1, 2, 3, 0, 0],
          [4, 5, 6, 1, 0],
        ],
        [2, 5],
        'int32',
      ),
    ],
  },
  {
    title: 'recurrent layers with initial states, and wrappers',
    build: recurrentWithStates,
    inputs: () => [uniform(2, 5, 3), uniform(2, 4, 3)],
  },
  { title: 'frozen layers and weights', build: frozenParts, inputs: () => [uniform(2, 4)] },
]

/** Draws every weight at random: fresh biases and moving statistics are all equal, and would hide a mix-up. */
export function randomizeWeights(model: tfl.LayersModel, seed = 11): void {
  tf.tidy(() => {
    model.weights.forEach((weight, i) => {
      weight.write(tf.randomUniform(weight.shape as number[], 0.1, 1, 'float32', seed + i))
    })
  })
}
