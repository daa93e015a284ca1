/** The contract of tfjs layers, options, masks and errors. */
import * as tf from '@tensorflow/tfjs-core'
import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose, expectLayerContract, type LayerContract } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import {
  differentialAttention,
  differentialAttentionV2,
  LearnedPositions,
  multiHeadAttention,
  rmsNormalization,
  rotaryEmbedding,
  swiGLU,
} from './index'

const sequence = { inputShape: [2, 5, 8], outputShape: [2, 5, 8], supportsMasking: true }
const contracts: Record<string, LayerContract> = {
  DifferentialAttention: {
    ...sequence,
    create: () =>
      differentialAttention({
        numHeads: 2,
        numKeyValueHeads: 1,
        depth: 1,
        causal: true,
        rotary: 'interleaved',
      }),
    trainableWeights: 9,
  },
  'DifferentialAttention with every other option': {
    ...sequence,
    create: () =>
      differentialAttention({
        ...{ numHeads: 2, headDim: 4, valueDim: 6, lambdaInit: 0.3, lambdaStddev: 0.2, pairing: 'halves' },
        ...{
          keyMapping: 'naive-compat',
          normAffine: false,
          epsilon: 1e-4,
          rotary: 'half-split',
          rotaryBase: 100,
        },
        ...{ useBias: true, outputBias: false, kernelInitializer: 'heNormal' },
      }),
    trainableWeights: 11,
  },
  'DifferentialAttention over a context': {
    ...sequence,
    inputShape: [
      [2, 5, 8],
      [2, 3, 6],
    ],
    create: () => differentialAttention({ numHeads: 2 }),
    trainableWeights: 9,
    supportsMasking: true,
  },
  DifferentialAttentionV2: {
    ...sequence,
    create: () => differentialAttentionV2({ numHeads: 2, numKeyValueHeads: 1, causal: true }),
    trainableWeights: 5,
  },
  MultiHeadAttention: {
    ...sequence,
    create: () => multiHeadAttention({ numHeads: 2, useBias: true, rotary: 'half-split' }),
    trainableWeights: 8,
    // Softmax does not see what all keys share.
    unchangedWeights: ['key_bias'],
  },
  RMSNormalization: { ...sequence, create: () => rmsNormalization(), trainableWeights: 1 },
  SwiGLU: { ...sequence, create: () => swiGLU({ hiddenDim: 6 }), trainableWeights: 6 },
  LearnedPositions: {
    ...sequence,
    create: () => new LearnedPositions({ maxLength: 9 }),
    trainableWeights: 1,
  },
  RotaryEmbedding: {
    inputShape: [2, 3, 2, 4],
    outputShape: [2, 3, 2, 4],
    create: () => rotaryEmbedding(),
    trainableWeights: 0,
    supportsMasking: true,
  },
}

describeBackends('layers', () => {
  it.each(Object.entries(contracts))('%s keeps the contract of layers', (_, contract) =>
    expectLayerContract(contract),
  )

  it('within-head pairing is interleaved pairing by another name', () => {
    const x = tf.randomNormal([1, 4, 8], 0, 1, 'float32', 1)
    const make = (pairing: 'interleaved' | 'within-head') => differentialAttention({ numHeads: 2, pairing })
    const [a, b] = [make('interleaved'), make('within-head')]
    a.apply(x)
    b.apply(x)
    b.setWeights(a.getWeights())
    expectClose(a.apply(x) as tf.Tensor, b.apply(x) as tf.Tensor)
  })

  it('padding that an embedding masks does not change the other positions', () => {
    const tokens = input({ shape: [null], dtype: 'int32' })
    const embedded = layers.embedding({ inputDim: 9, outputDim: 8, maskZero: true }).apply(tokens)
    const attended = differentialAttention({ numHeads: 2 }).apply(embedded) as SymbolicTensor
    const padded = model({ inputs: tokens, outputs: attended })
    const predict = (row: number[]) =>
      padded.predict(tf.tensor2d([row], [1, row.length], 'int32')) as tf.Tensor
    expectClose(tf.slice(predict([3, 4, 5, 0, 0]), [0, 0, 0], [1, 3, 8]), predict([3, 4, 5]))
  })

  it('an additive mask may be an input of the graph, and combines with causality', () => {
    const [x, mask] = [input({ shape: [4, 8] }), input({ shape: [1, 4, 4] })]
    const layer = multiHeadAttention({ numHeads: 2, causal: true })
    const masked = model({ inputs: [x, mask], outputs: layer.apply([x, x, mask]) as SymbolicTensor })
    const sequence = tf.randomNormal([1, 4, 8], 0, 1, 'float32', 1)
    const hideFirst = tf.tensor4d(
      [0, 1, 2, 3].flatMap(() => [-Infinity, 0, 0, 0]),
      [1, 1, 4, 4],
    )
    const y = masked.predict([sequence, hideFirst]) as tf.Tensor
    expectClose(tf.slice(y, [0, 0, 0], [1, 1, 8]), tf.zeros([1, 1, 8]))
    const rest = layer.apply(tf.slice(sequence, [0, 1, 0], [1, 3, 8])) as tf.Tensor
    expectClose(tf.slice(y, [0, 1, 0], [1, 3, 8]), rest)
    expectClose(y, layer.call(sequence, { attentionMask: hideFirst }))
  })

  it.each([differentialAttention, differentialAttentionV2, multiHeadAttention])(
    'padding, causality and an additive mask combine: each hides its keys',
    (make) => {
      const tokens = input({ shape: [4], dtype: 'int32' })
      const mask = input({ shape: [1, 4, 4] })
      const embedded = layers
        .embedding({ inputDim: 9, outputDim: 8, maskZero: true })
        .apply(tokens) as SymbolicTensor
      const layer = make({ numHeads: 2, causal: true })
      const attended = layer.apply([embedded, embedded, mask]) as SymbolicTensor
      const masked = model({ inputs: [tokens, mask], outputs: [attended, embedded] })
      const ids = tf.tensor2d([[3, 0, 5, 6]], [1, 4], 'int32') // key 1 is padding
      const hideFirst = [0, 1, 2, 3].flatMap((query) => [query === 3 ? -Infinity : 0, 0, 0, 0]) // key 0, to query 3
      const [y, x] = masked.predict([ids, tf.tensor4d(hideFirst, [1, 1, 4, 4])]) as [tf.Tensor, tf.Tensor]
      const seen = [
        [1, 0, 0, 0],
        [1, 0, 0, 0],
        [1, 0, 1, 0],
        [0, 0, 1, 1],
      ]
      const explicit = tf.tensor2d(seen.map((row) => row.map((shown) => (shown ? 0 : -Infinity))))
      const free = make({ numHeads: 2 })
      free.apply(x)
      free.setWeights(layer.getWeights())
      if ('lambdaInit' in layer) expect(free).toHaveProperty('lambdaInit', layer.lambdaInit)
      expectClose(y, free.call(x, { attentionMask: explicit }))
    },
  )

  it.each([differentialAttention, differentialAttentionV2, multiHeadAttention])(
    'padding goes on through attention to what follows',
    (make) => {
      const tokens = input({ shape: [null], dtype: 'int32' })
      const embedded = layers.embedding({ inputDim: 9, outputDim: 8, maskZero: true }).apply(tokens)
      // The second layer would attend to what the first makes of padding, if it did not know.
      const twice = make({ numHeads: 2 }).apply(make({ numHeads: 2 }).apply(embedded)) as SymbolicTensor
      const padded = model({ inputs: tokens, outputs: twice })
      const predict = (row: number[]) =>
        padded.predict(tf.tensor2d([row], [1, row.length], 'int32')) as tf.Tensor
      const start = tf.slice(predict([3, 4, 5, 0, 0]), [0, 0, 0], [1, 3, 8])
      expectClose(start, predict([3, 4, 5]))
    },
  )

  it('causal layers do not look ahead', () => {
    const x = tf.randomNormal([1, 6, 8], 0, 1, 'float32', 1)
    for (const make of [differentialAttention, differentialAttentionV2, multiHeadAttention]) {
      const layer = make({ numHeads: 2, causal: true, rotary: 'interleaved' })
      const whole = layer.apply(x) as tf.Tensor
      const start = layer.apply(tf.slice(x, [0, 0, 0], [1, 3, 8])) as tf.Tensor
      expectClose(tf.slice(whole, [0, 0, 0], [1, 3, 8]), start)
    }
  })

  it('dropout acts in training only', () => {
    const x = tf.randomNormal([1, 6, 8], 0, 1, 'float32', 1)
    const layer = differentialAttention({ numHeads: 2, dropout: 0.5, seed: 1 })
    expectClose(layer.apply(x) as tf.Tensor, layer.apply(x) as tf.Tensor)
    expect(() => expectClose(layer.call(x, { training: true }), layer.call(x))).toThrow('expectClose')
  })

  it('rotary embedding keeps lengths, and dot products depend on distances only', () => {
    for (const style of ['interleaved', 'half-split'] as const) {
      const x = tf.tile(tf.randomNormal([1, 1, 1, 6], 0, 1, 'float32', 1), [1, 5, 1, 1])
      const y = tf.reshape(rotaryEmbedding({ style }).apply(x) as tf.Tensor, [5, 6])
      const dots = tf.matMul(y, y, false, true).arraySync() as number[][]
      for (let i = 0; i + 2 < 5; i++)
        expectClose([dots[i]![i + 2]!, dots[i]![i]!], [dots[0]![2]!, dots[0]![0]!])
    }
  })

  it('says which option is out of range', () => {
    const cases: [() => unknown, string][] = [
      [
        () => differentialAttention({ numHeads: 6, numKeyValueHeads: 4 }),
        'DifferentialAttention: `numHeads` must be a multiple of `numKeyValueHeads`. Received numHeads=6, numKeyValueHeads=4.',
      ],
      [
        () => differentialAttention({ numHeads: 2, depth: 1, lambdaInit: 0.8 }),
        'DifferentialAttention: give `depth` or `lambdaInit`, not both. Received depth=1, lambdaInit=0.8.',
      ],
      [
        () => differentialAttention({ numHeads: 2, dropout: 1 }),
        'DifferentialAttention: `dropout` must be in [0, 1). Received dropout=1.',
      ],
      [
        () => multiHeadAttention({ numHeads: 3 }).apply(tf.ones([1, 2, 8])),
        "MultiHeadAttention: `numHeads` must divide the input's features, or `headDim` must be given. Received numHeads=3, features=8.",
      ],
      [
        () => differentialAttentionV2({ numHeads: 0 }),
        'DifferentialAttentionV2: `numHeads` must be a positive integer. Received numHeads=0.',
      ],
      [
        () => rmsNormalization({ epsilon: 0 }),
        'RMSNormalization: `epsilon` must be positive. Received epsilon=0.',
      ],
    ]
    for (const [make, message] of cases) expect(make).toThrow(message)
  })
})
