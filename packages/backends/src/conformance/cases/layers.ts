/** tfjs layers as ops of their input and weights, so that every gradient of every layer is held to finite differences. */
import type * as tf from '@tensorflow/tfjs-core'
import { layers } from '@tensorflow/tfjs-layers'
import type { Input, OpCase } from '../op-case'

type Layer = ReturnType<typeof layers.dense>

const shaped = (...shape: number[]): Input => ({ shape, from: -0.7, to: 0.7 })

/** Runs a fresh layer whose weights are the given tensors: variables would hide them from the gradient. */
function applyWith(make: () => Layer, x: tf.Tensor, weights: tf.Tensor[], training: boolean): tf.Tensor {
  const layer = make()
  layer.build(x.shape)
  layer.built = true
  layer.weights.forEach((weight, i) => {
    Object.assign(weight, { read: () => weights[i]! })
  })
  const output = layer.apply(x, { training }) as tf.Tensor
  // `layer.dispose()` refuses a layer that is in no model.
  for (const weight of layer.weights) weight.dispose()
  return output
}

const layerCase = (
  name: string,
  make: () => unknown,
  x: Input,
  weights: Input[] = [],
  training = true,
): OpCase => ({
  name: `layer ${name}`,
  inputs: [x, ...weights],
  run: (input, ...tensors) => applyWith(make as () => Layer, input, tensors, training),
})

const image = shaped(2, 5, 4, 2)
const sequence = shaped(2, 3, 4)
const kinked: Input = { shape: [4, 6], distinct: true }
const positive: Input = { shape: [3], from: 0.5, to: 1.5 }

/** The default, 'orthogonal', needs the chained ops that only the umbrella package registers; the weights are replaced anyway. */
const recurrentInitializer = 'zeros'

const activations = [
  'elu',
  'gelu',
  'hardSigmoid',
  'linear',
  'mish',
  'relu',
  'relu6',
  'selu',
  'sigmoid',
  'softmax',
  'softplus',
  'softsign',
  'swish',
  'tanh',
] as const

export const layerCases: OpCase[] = [
  ...activations.map((activation) =>
    layerCase(`activation ${activation}`, () => layers.activation({ activation }), kinked),
  ),
  layerCase('dense, relu', () => layers.dense({ units: 5, activation: 'relu' }), shaped(3, 4), [
    shaped(4, 5),
    { shape: [5], from: 0.5, to: 1 },
  ]),
  layerCase('dense on sequences', () => layers.dense({ units: 5 }), sequence, [shaped(4, 5), shaped(5)]),
  layerCase(
    'timeDistributed',
    () => layers.timeDistributed({ layer: layers.dense({ units: 2 }) }),
    sequence,
    [shaped(4, 2), shaped(2)],
  ),
  layerCase('prelu', () => layers.prelu(), kinked, [shaped(6)]),
  layerCase('conv1d', () => layers.conv1d({ filters: 3, kernelSize: 2 }), sequence, [
    shaped(2, 4, 3),
    shaped(3),
  ]),
  layerCase(
    'conv2d, tanh, strided',
    () => layers.conv2d({ filters: 3, kernelSize: 3, strides: 2, padding: 'same', activation: 'tanh' }),
    image,
    [shaped(3, 3, 2, 3), shaped(3)],
  ),
  layerCase(
    'conv2d, relu, dilated',
    () => layers.conv2d({ filters: 3, kernelSize: 2, dilationRate: 2, activation: 'relu' }),
    image,
    [
      { shape: [2, 2, 2, 3], from: -0.1, to: 0.1 },
      { shape: [3], from: 0.8, to: 1.2 },
    ],
  ),
  layerCase(
    'conv2dTranspose',
    () => layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2 }),
    image,
    [shaped(3, 3, 3, 2), shaped(3)],
  ),
  layerCase('depthwiseConv2d', () => layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 }), image, [
    shaped(3, 3, 2, 2),
    shaped(4),
  ]),
  layerCase('separableConv2d', () => layers.separableConv2d({ filters: 3, kernelSize: 3 }), image, [
    shaped(3, 3, 2, 1),
    shaped(1, 1, 2, 3),
    shaped(3),
  ]),
  layerCase('conv3d', () => layers.conv3d({ filters: 2, kernelSize: 2 }), shaped(1, 3, 3, 3, 2), [
    shaped(2, 2, 2, 2, 2),
    shaped(2),
  ]),
  layerCase('batchNormalization, training', () => layers.batchNormalization(), shaped(6, 3), [
    positive,
    shaped(3),
    { ...shaped(3), constant: true },
    { ...positive, constant: true },
  ]),
  layerCase(
    'batchNormalization, inference',
    () => layers.batchNormalization(),
    shaped(2, 2, 2, 3),
    [positive, shaped(3), shaped(3), positive],
    false,
  ),
  layerCase('layerNormalization', () => layers.layerNormalization(), shaped(4, 3), [positive, shaped(3)]),
  layerCase(
    'averagePooling2d, same',
    () => layers.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
    image,
  ),
  layerCase('maxPooling2d', () => layers.maxPooling2d({ poolSize: 2 }), {
    shape: [1, 4, 4, 2],
    distinct: true,
  }),
  layerCase('maxPooling1d', () => layers.maxPooling1d({ poolSize: 2 }), { shape: [2, 4, 3], distinct: true }),
  layerCase('globalAveragePooling2d', () => layers.globalAveragePooling2d({}), image),
  layerCase('globalMaxPooling1d', () => layers.globalMaxPooling1d(), { shape: [2, 4, 3], distinct: true }),
  layerCase('upSampling2d', () => layers.upSampling2d({ size: [2, 2] }), image),
  layerCase(
    'zeroPadding2d',
    () =>
      layers.zeroPadding2d({
        padding: [
          [1, 0],
          [2, 1],
        ],
      }),
    image,
  ),
  layerCase(
    'embedding',
    () => layers.embedding({ inputDim: 5, outputDim: 3 }),
    { shape: [2, 3], values: [0, 4, 1, 4, 4, 2], constant: true },
    [shaped(5, 3)],
  ),
  layerCase('simpleRNN', () => layers.simpleRNN({ units: 3, recurrentInitializer }), sequence, [
    shaped(4, 3),
    shaped(3, 3),
    shaped(3),
  ]),
  layerCase('lstm', () => layers.lstm({ units: 3, returnSequences: true, recurrentInitializer }), sequence, [
    shaped(4, 12),
    shaped(3, 12),
    shaped(12),
  ]),
  layerCase('gru', () => layers.gru({ units: 3, recurrentInitializer }), sequence, [
    shaped(4, 9),
    shaped(3, 9),
    shaped(9),
  ]),
  layerCase(
    'bidirectional lstm',
    () =>
      layers.bidirectional({
        layer: layers.lstm({ units: 2, recurrentInitializer }) as never,
        mergeMode: 'concat',
      }),
    sequence,
    [shaped(4, 8), shaped(2, 8), shaped(8), shaped(4, 8), shaped(2, 8), shaped(8)],
  ),
  layerCase(
    'convLstm2d',
    () => layers.convLstm2d({ filters: 2, kernelSize: 2, padding: 'same', recurrentInitializer }),
    shaped(1, 2, 3, 3, 2),
    [shaped(2, 2, 2, 8), shaped(2, 2, 2, 8), shaped(8)],
  ),
]
