import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { defaultStep, type TrainingSetup } from '@tfgraft/core'
import { describeBackends, expectClose, expectLayerContract } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { type GoldenTensor, golden, nhwc, tensor } from '../golden'
import { sparseTopK } from './method'
import { type SparseTopKArgs, sparseTopKLayer } from './sparse-top-k'
import type { Convention } from './threshold'

interface Selection {
  mask?: GoldenTensor
  mask_nonzero?: GoldenTensor
  out?: GoldenTensor | null
  grad_x?: GoldenTensor
}

interface TopKGolden {
  inputs: { x: GoldenTensor; grad_output: GoldenTensor }
  cases: ({ k: number } & Record<'quantile' | 'count_floor_min1_ties_kept' | 'paper_TopKLayer', Selection>)[]
}

const conventions: [Convention, keyof TopKGolden['cases'][number]][] = [
  ['quantile', 'quantile'],
  ['countWithTies', 'count_floor_min1_ties_kept'],
  ['count', 'paper_TopKLayer'],
]

const nchw = (t: tf.Tensor) => tf.transpose(t, [0, 3, 1, 2])
const run = (x: tf.Tensor, args: SparseTopKArgs) => sparseTopKLayer(args).apply(x) as tf.Tensor

/** Which entries of a plane are kept, by the definitions of METHODS, in double precision and by a sort. */
function keptByDefinition(plane: number[], k: number, convention: Convention): boolean[] {
  const magnitudes = plane.map(Math.abs)
  const ascending = [...magnitudes].sort((a, b) => a - b)
  const n = plane.length
  if (convention === 'quantile') {
    const position = (1 - k) * (n - 1)
    const [lower, upper] = [ascending[Math.floor(position)]!, ascending[Math.ceil(position)]!]
    const threshold = lower + (position - Math.floor(position)) * (upper - lower)
    return magnitudes.map((m) => m >= threshold)
  }
  const m = Math.max(1, Math.floor(k * n))
  if (convention === 'countWithTies') return magnitudes.map((v) => v >= ascending[n - m]!)
  const order = [...magnitudes.keys()].sort((a, b) => magnitudes[b]! - magnitudes[a]! || a - b)
  const first = new Set(order.slice(0, m))
  return magnitudes.map((_, i) => first.has(i))
}

describeBackends('SparseTopK', () => {
  it.each(['quantile', 'count', 'countWithTies'] as const)(
    '%s keeps what its definition keeps, ties at the threshold included, and passes those gradients',
    (convention) => {
      const [batch, side, channels] = [2, 8, 5]
      // Of few distinct magnitudes, both signs, zeros in between: every threshold has ties.
      const values = Array.from(
        { length: batch * side * side * channels },
        (_, i) => Math.round(3 * Math.sin(7.1 * i + (i % channels))) * [0.5, 0.1, 1, 0.25, 3][i % channels]!,
      ).map(Math.fround)
      const x = tf.tensor4d(values, [batch, side, side, channels])
      const G = tf.randomUniform(x.shape, 0.5, 1.5, 'float32', 3)
      for (const k of [0, 0.01, 0.2, 1 / 3, 0.5, 0.9, 1]) {
        const factor = Array(values.length).fill(0)
        for (let n = 0; n < batch; n++)
          for (let c = 0; c < channels; c++) {
            const at = (p: number) => (n * side * side + p) * channels + c
            const plane = Array.from({ length: side * side }, (_, p) => values[at(p)]!)
            for (const [p, kept] of keptByDefinition(plane, k, convention).entries())
              factor[at(p)] = kept ? 1 : 0
          }
        const layer = sparseTopKLayer({ k, convention })
        expectClose(layer.apply(x) as tf.Tensor, tf.mul(x, tf.tensor4d(factor, x.shape)))
        const dx = tf.grad((t) => tf.mul(layer.apply(t) as tf.Tensor, G))(x)
        expectClose(dx, tf.mul(G, tf.tensor4d(factor, x.shape)))
      }
    },
  )

  it.each(conventions)(
    '%s agrees with the reference: masks, outputs, gradients, either data format',
    (convention, key) => {
      const g = golden<TopKGolden>('advprop_sparse_topk_generic')
      for (const entry of g.cases) {
        const expected = entry[key] as Selection
        for (const dataFormat of ['channelsLast', 'channelsFirst'] as const) {
          const last = dataFormat === 'channelsLast'
          const [x, G] = [g.inputs.x, g.inputs.grad_output].map((t) => (last ? nhwc(t) : tensor(t)))
          const layer = sparseTopKLayer({ k: entry.k, convention, dataFormat })
          const form = last ? nchw : (t: tf.Tensor) => t
          const y = form(layer.apply(x!) as tf.Tensor)
          const mask = tf.cast(tf.notEqual(y, 0), 'float32')
          expectClose(mask, (expected.mask ?? expected.mask_nonzero)!)
          if (expected.out) expectClose(y, expected.out)
          const dx = form(tf.grad((t) => tf.mul(layer.apply(t) as tf.Tensor, G!))(x!))
          if (expected.grad_x) expectClose(dx, expected.grad_x)
        }
      }
    },
  )

  it('selects over features of rank 2, over positions of rank 3 and 5, and spares class tokens', () => {
    expectClose(run(tf.tensor2d([[1, -4, 3, 2]]), { k: 0.5 }), [0, -4, 3, 0])
    const tokens = tf.tensor3d([
      [
        [9, 0.1],
        [1, 5],
        [2, 4],
        [3, -6],
      ],
    ])
    expectClose(run(tokens, { k: 0.4 }), [9, 0, 0, 0, 0, 0, 0, -6])
    expectClose(run(tokens, { k: 0.4, classTokens: 1 }), [9, 0.1, 0, 0, 0, 0, 3, -6])
    const volume = tf.randomNormal([2, 3, 4, 5, 2], 0, 1, 'float32', 1)
    expectClose(
      tf.reshape(run(volume, { k: 0.3 }), [2, 60, 2]),
      run(tf.reshape(volume, [2, 60, 2]), { k: 0.3 }),
    )
  })

  it('revert keeps the rest, tau blends: what both keep is the input', () => {
    const x = tf.randomNormal([2, 6, 6, 3], 0, 1, 'float32', 2)
    const sparse = run(x, { k: 0.25 })
    expectClose(tf.add(sparse, run(x, { k: 0.25, revert: true })), x)
    expectClose(run(x, { k: 0.25, tau: 0.7 }), tf.add(tf.mul(sparse, 0.7), tf.mul(x, 0.3)))
    expectClose(run(x, { k: 0.25, tau: 0 }), x)
    expectClose(run(x, { k: 1 }), x)
  })

  it('keeps the layer contract', async () => {
    for (const args of [
      { k: 0.4 },
      { k: 0.4, dataFormat: 'channelsFirst', convention: 'quantile', tau: 0.5 },
    ] as const)
      await expectLayerContract({
        create: () => sparseTopKLayer(args),
        inputShape: [2, 4, 3],
        outputShape: [2, 4, 3],
        trainableWeights: 0,
        supportsMasking: true,
      })
  })

  it('the method inserts the layer and carries the weights', () => {
    const model = tfl.sequential({
      layers: [
        tfl.layers.dense({ units: 6, inputShape: [4], name: 'hidden' }),
        tfl.layers.dense({ units: 2, name: 'output' }),
      ],
    })
    const setup: TrainingSetup = {
      model,
      optimizer: tf.train.sgd(0.1),
      loss: tfl.metrics.meanSquaredError,
      step: defaultStep,
    }
    const sparse = sparseTopK({ k: 0.34, after: 'hidden', convention: 'countWithTies' }).apply(setup).model
    const x = tf.randomNormal([3, 4], 0, 1, 'float32', 3)
    const hidden = run(model.layers[0]!.apply(x) as tf.Tensor, { k: 0.34 })
    expectClose(sparse.predict(x) as tf.Tensor, model.layers[1]!.apply(hidden) as tf.Tensor)
    expect(() => sparseTopK({ k: 0.2, after: 'hiden' }).apply(setup)).toThrow(
      'sparseTopK: `after` must fit layers of the model. Received after=hiden; the model has hidden, output.',
    )
    expect(() => sparseTopK({ k: 0.2, after: () => false }).apply(setup)).toThrow('a function that fits none')
  })

  it('says what is wrong with its arguments', () => {
    expect(() => sparseTopK({ k: 2, after: 'x' })).toThrow('SparseTopK: `k` must be in [0, 1]. Received k=2.')
    expect(() => sparseTopKLayer({ k: 0.1, tau: -1 })).toThrow(
      'SparseTopK: `tau` must be in [0, 1]. Received tau=-1.',
    )
    expect(() => sparseTopKLayer({ k: 0.1, convention: 'percent' as 'count' })).toThrow(
      'Received convention=percent.',
    )
    expect(() => sparseTopKLayer({ k: 0.1, dataFormat: 'NCHW' as 'channelsFirst' })).toThrow(
      'Received dataFormat=NCHW.',
    )
    expect(() => run(tf.zeros([2, 3, 3, 1]), { k: 0.1, classTokens: 1 })).toThrow(
      'Received inputShape=[2,3,3,1].',
    )
  })
})
