import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import {
  describeBackends,
  expectClose,
  expectGradients,
  expectLayerContract,
  expectNoTensorLeak,
} from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { type GoldenTensor, golden, nhwc, tensor } from '../golden'
import { normalizeSplit } from './normalize-split'
import { SplitBatchNormalization, splitBatchNormalization } from './split-batch-normalization'

interface TimmGolden {
  config: { num_splits: number; momentum: number | null; eps: number }
  params: Record<string, GoldenTensor>
  buffers: Record<string, GoldenTensor>
  train_steps: {
    x: GoldenTensor
    grad_output: GoldenTensor
    out: GoldenTensor
    grad_x: GoldenTensor
    grad_params: Record<string, GoldenTensor>
    buffers_after: Record<string, GoldenTensor>
  }[]
  eval: { x: GoldenTensor; out: GoldenTensor }
}

interface CourseGolden {
  config: { momentum: number; eps: number }
  params: Record<string, GoldenTensor>
  buffers: Record<string, GoldenTensor>
  inputs: Record<'x_plain' | 'x_adv' | 'grad_out_plain' | 'grad_out_adv', GoldenTensor>
  outputs: { out_plain: GoldenTensor; out_adv: GoldenTensor; buffers_after: Record<string, GoldenTensor> }
  grads: Record<'x_plain' | 'x_adv' | 'weight' | 'bias', GoldenTensor>
  eval: { x: GoldenTensor; out: GoldenTensor }
}

const local = (weight: tfl.LayerVariable) => weight.originalName.split('/').at(-1)!

/** Our name of a PyTorch weight: 'aux_bn.0.running_var' is 'auxiliary_1_moving_variance'. */
const ours = (name: string) =>
  name
    .replace(/^aux_bn\.(\d)\./, (_, i) => `auxiliary_${Number(i) + 1}_`)
    .replace(/^adv_/, 'auxiliary_1_')
    .replace('running_mean', 'moving_mean')
    .replace('running_var', 'moving_variance')
    .replace('weight', 'gamma')
    .replace('bias', 'beta')

function load(layer: tfl.layers.Layer, values: Record<string, GoldenTensor>) {
  const byName = new Map(Object.entries(values).map(([name, value]) => [ours(name), value]))
  layer.setWeights(
    layer.weights.map((w) =>
      byName.has(local(w)) ? tensor(byName.get(local(w))!) : tf.zeros(w.shape as number[]),
    ),
  )
}

function expectWeights(layer: tfl.layers.Layer, values: Record<string, GoldenTensor>) {
  let compared = 0
  for (const [name, value] of Object.entries(values)) {
    const weight = layer.weights.find((w) => local(w) === ours(name))
    if (!weight) continue
    expectClose(weight.read(), value)
    compared++
  }
  expect(compared).toBeGreaterThanOrEqual(4)
}

/** Gradients of sum(layer(x) G) to x and to every trainable weight, by PyTorch's names. */
function gradients(layer: tfl.layers.Layer, x: tf.Tensor, G: tf.Tensor, split: number[]) {
  const forward = () => tf.sum(tf.mul(layer.apply(x, { training: true, split }) as tf.Tensor, G)) as tf.Scalar
  const variables = layer.trainableWeights.map((w) => w.read() as tf.Variable)
  const { grads } = tf.variableGrads(forward, variables)
  return Object.fromEntries(
    layer.trainableWeights.map((w) => [local(w), grads[(w.read() as tf.Variable).name]!]),
  )
}

/** Runs and takes the gradient to x without moving the running statistics twice. */
function inputGradient(layer: tfl.layers.Layer, x: tf.Tensor, G: tf.Tensor, split: number[]) {
  const saved = layer.getWeights().map((w) => w.clone())
  const dx = tf.grad((t) => tf.mul(layer.apply(t, { training: true, split }) as tf.Tensor, G))(x)
  layer.setWeights(saved)
  return dx
}

const nchw = (t: tf.Tensor) => tf.transpose(t, [0, 3, 1, 2])

describeBackends('SplitBatchNormalization', () => {
  it('agrees with timm: outputs, gradients and running statistics of two steps, then inference', () => {
    const g = golden<TimmGolden>('advprop_splitbn_timm_2split_mom0.1')
    const layer = splitBatchNormalization({
      auxiliaries: g.config.num_splits - 1,
      momentum: g.config.momentum === null ? null : 1 - g.config.momentum,
      epsilon: g.config.eps,
    })
    layer.build([null, 4, 3, 3])
    load(layer, { ...g.params, ...g.buffers })
    for (const step of g.train_steps) {
      const [x, G] = [nhwc(step.x), nhwc(step.grad_output)]
      const split = Array(g.config.num_splits).fill(x.shape[0] / g.config.num_splits)
      expectClose(nchw(inputGradient(layer, x, G, split)), step.grad_x)
      const before = layer.getWeights().map((w) => w.clone())
      expectClose(nchw(layer.apply(x, { training: true, split }) as tf.Tensor), step.out)
      expectWeights(layer, step.buffers_after)
      layer.setWeights(before)
      const grads = gradients(layer, x, G, split)
      for (const [name, value] of Object.entries(step.grad_params)) expectClose(grads[ours(name)]!, value)
    }
    expectClose(nchw(layer.apply(nhwc(g.eval.x), {}) as tf.Tensor), g.eval.out)
  })

  it('agrees with the course: shared affine, separate running statistics', () => {
    const g = golden<CourseGolden>('advprop_dualbn_course')
    const layer = splitBatchNormalization({
      affine: 'shared',
      momentum: 1 - g.config.momentum,
      epsilon: g.config.eps,
    })
    layer.build([null, 4, 3, 3])
    load(layer, { ...g.params, ...g.buffers })
    expect(layer.trainableWeights).toHaveLength(2)
    const x = tf.concat([nhwc(g.inputs.x_plain), nhwc(g.inputs.x_adv)])
    const G = tf.concat([nhwc(g.inputs.grad_out_plain), nhwc(g.inputs.grad_out_adv)])
    const [n, m] = [g.inputs.x_plain.shape[0]!, g.inputs.x_adv.shape[0]!]
    const [dPlain, dAdv] = tf.split(inputGradient(layer, x, G, [n, m]), [n, m])
    expectClose(nchw(dPlain!), g.grads.x_plain)
    expectClose(nchw(dAdv!), g.grads.x_adv)
    const saved = layer.getWeights().map((w) => w.clone())
    const grads = gradients(layer, x, G, [n, m])
    expectClose(grads.gamma!, g.grads.weight)
    expectClose(grads.beta!, g.grads.bias)
    layer.setWeights(saved)
    const [plain, adv] = tf.split(layer.apply(x, { training: true, split: [n, m] }) as tf.Tensor, [n, m])
    expectClose(nchw(plain!), g.outputs.out_plain)
    expectClose(nchw(adv!), g.outputs.out_adv)
    expectWeights(layer, g.outputs.buffers_after)
    expectClose(nchw(layer.apply(nhwc(g.eval.x), {}) as tf.Tensor), g.eval.out)
  })

  it('is tfjs BatchNormalization while every row is clean', () => {
    const x = tf.randomNormal([5, 3, 4], 1, 2, 'float32', 1)
    const [split, plain] = [
      splitBatchNormalization({ unbiasedVariance: false }),
      tfl.layers.batchNormalization(),
    ]
    for (const training of [true, true, false])
      expectClose(split.apply(x, { training }) as tf.Tensor, plain.apply(x, { training }) as tf.Tensor)
  })

  it('normalises any channel axis alike', () => {
    // tfjs's own layer cannot be the reference: on an axis other than the last it repeats statistics along the last.
    const x = tf.randomNormal([5, 3, 4], 1, 2, 'float32', 1)
    const [first, last] = [splitBatchNormalization({ axis: 1 }), splitBatchNormalization({ axis: -1 })]
    for (const training of [true, false]) {
      const y = last.apply(tf.transpose(x, [0, 2, 1]), { training, split: [3, 2] }) as tf.Tensor
      expectClose(first.apply(x, { training, split: [3, 2] }) as tf.Tensor, tf.transpose(y, [0, 2, 1]))
    }
  })

  it('momentum null averages all batches alike', () => {
    const layer = splitBatchNormalization({ momentum: null, unbiasedVariance: false })
    const x = tf.tensor2d([[0], [2], [10], [14]])
    layer.apply(tf.slice(x, 0, 2), { training: true })
    layer.apply(tf.slice(x, 2, 2), { training: true })
    const [mean, variance] = ['moving_mean', 'moving_variance'].map((name) =>
      layer.weights.find((w) => local(w) === name)!.read(),
    )
    expectClose(mean!, [6.5]) // of 1 and 12
    expectClose(variance!, [2.5]) // of 1 and 4
  })

  it('parts of any size only see themselves, and an empty part moves nothing', () => {
    const layer = splitBatchNormalization({ auxiliaries: 2, momentum: 0.5 })
    const x = tf.randomNormal([7, 2, 3], 0, 1, 'float32', 3)
    const y = layer.apply(x, { training: true, split: [4, 0, 3] }) as tf.Tensor
    const reference = (from: number, size: number) => {
      const part = tf.slice(x, from, size)
      const { mean, variance } = tf.moments(part, [0, 1])
      return tf.div(tf.sub(part, mean), tf.sqrt(tf.add(variance, 1e-3)))
    }
    expectClose(y, tf.concat([reference(0, 4), reference(4, 3)]))
    const value = (name: string) => layer.weights.find((w) => local(w) === name)!.read()
    expectClose(value('auxiliary_1_moving_mean'), [0, 0, 0])
    expect(tf.sum(tf.abs(value('auxiliary_2_moving_mean'))).dataSync()[0]).toBeGreaterThan(0)
    // In inference the split routes to running statistics.
    const aux = layer.apply(x, { split: [0, 0, 7] }) as tf.Tensor
    const manual = tf.div(
      tf.sub(x, value('auxiliary_2_moving_mean')),
      tf.sqrt(tf.add(value('auxiliary_2_moving_variance'), 1e-3)),
    )
    expectClose(aux, manual)
  })

  it.each(['separate', 'shared'] as const)('keeps the layer contract: %s affine', async (affine) => {
    const own = affine === 'separate' ? 4 : 2
    await expectLayerContract({
      create: () => splitBatchNormalization({ affine, momentum: null }),
      inputShape: [4, 2, 3],
      outputShape: [4, 2, 3],
      trainableWeights: own,
      nonTrainableWeights: 6,
      supportsMasking: true,
      unchangedWeights: ['auxiliary_1_gamma', 'auxiliary_1_beta'],
    })
  })

  it('has the gradient of its finite differences', () => {
    const x = tf.randomNormal([5, 3, 2], 0.5, 1, 'float32', 5)
    const affine = [0, 1, 2, 3].map((i) => tf.randomUniform<tf.Rank.R1>([2], 0.5, 1.5, 'float32', 10 + i))
    expectGradients(
      (input, g0, b0, g1, b1) => {
        const affines = [
          { gamma: g0 as tf.Tensor1D, beta: b0 as tf.Tensor1D },
          { gamma: g1 as tf.Tensor1D, beta: b1 as tf.Tensor1D },
        ]
        const parts = [
          { size: 2, affine: affines[0]! },
          { size: 3, affine: affines[1]! },
        ]
        return normalizeSplit(input!, parts, { axis: 2, epsilon: 1e-3 }).output
      },
      [x, ...affine],
    )
  })

  it('constant rows, one row and NaN: finite, zero, and NaN only in its own part', () => {
    const layer = splitBatchNormalization({ center: false, scale: false })
    expectClose(layer.apply(tf.fill([1, 3], 7), { training: true }) as tf.Tensor, [0, 0, 0])
    const y = layer.apply(
      tf.tensor2d([
        [Number.NaN, 1, 1],
        [2, 2, 2],
        [3, 5, 4],
        [5, 3, 4],
      ]),
      {
        training: true,
        split: [2, 2],
      },
    ) as tf.Tensor
    const values = y.dataSync()
    expect(values[0]).toBeNaN()
    expect([...values.slice(6)].every(Number.isFinite)).toBe(true)
  })

  it('leaves no tensor behind', async () => {
    const layer = splitBatchNormalization({})
    const x = tf.randomNormal([4, 3])
    layer.apply(x, { training: true, split: [2, 2] })
    await expectNoTensorLeak(() => {
      ;(layer.apply(x, { training: true, split: [2, 2] }) as tf.Tensor).dispose()
      tf.tidy(() => void tf.grad((t) => layer.apply(t, { training: true, split: [3, 1] }) as tf.Tensor)(x))
      ;(layer.apply(x, {}) as tf.Tensor).dispose()
    })
  })

  it('reaches every layer of a model, survives saving, and becomes an ordinary layer again', async () => {
    const layer = splitBatchNormalization({
      name: 'bn',
      gammaRegularizer: tfl.regularizers.l2({ l2: 0.1 }),
      affine: 'separate',
    })
    const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 3, inputShape: [2] }), layer] })
    const x = tf.randomNormal([6, 2], 0, 1, 'float32', 2)
    model.apply(x, { training: true, split: [4, 2] })
    expect(
      tf.sum(tf.abs(layer.weights.find((w) => local(w) === 'auxiliary_1_moving_mean')!.read())).dataSync()[0],
    ).toBeGreaterThan(0)

    let artifacts: tf.io.ModelArtifacts | undefined
    await model.save(
      tf.io.withSaveHandler(async (a) => {
        artifacts = a
        return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
      }),
    )
    const loaded = await tfl.loadLayersModel(tf.io.fromMemory(artifacts!))
    expect(loaded.layers[1]).toBeInstanceOf(SplitBatchNormalization)
    expectClose(loaded.predict(x) as tf.Tensor, model.predict(x) as tf.Tensor)

    const ordinary = layer.toBatchNormalization() as tfl.layers.Layer & {
      adoptWeights(from: tfl.layers.Layer): void
    }
    tfl.sequential({ layers: [tfl.layers.inputLayer({ inputShape: [3] }), ordinary] })
    ordinary.adoptWeights(layer)
    expect(ordinary.weights.map((w) => w.originalName)).toEqual([
      'bn/gamma',
      'bn/beta',
      'bn/moving_mean',
      'bn/moving_variance',
    ])
    const hidden = model.layers[0]!.apply(x) as tf.Tensor
    expectClose(ordinary.apply(hidden, {}) as tf.Tensor, layer.apply(hidden, {}) as tf.Tensor)
  })

  it('adopts the weights of an ordinary layer in every branch', () => {
    const plain = tfl.layers.batchNormalization({ gammaInitializer: 'randomNormal', name: 'bn' })
    plain.apply(tf.randomNormal([4, 3]), { training: true })
    const layer = splitBatchNormalization({ auxiliaries: 1, momentum: null })
    layer.build([null, 3])
    layer.adoptWeights(plain)
    const value = (name: string) => layer.weights.find((w) => local(w) === name)!.read()
    for (const w of plain.weights) {
      expectClose(value(local(w)), w.read())
      expectClose(value(`auxiliary_1_${local(w)}`), w.read())
    }
    const bare = tfl.layers.batchNormalization({ scale: false })
    bare.build([null, 3])
    expect(() => layer.adoptWeights(bare)).toThrow("has no 'gamma'")
  })

  it('says what is wrong with its arguments', () => {
    expect(() => splitBatchNormalization({ auxiliaries: -1 })).toThrow(
      'SplitBatchNormalization: `auxiliaries` must be an integer of at least 0. Received auxiliaries=-1.',
    )
    expect(() => splitBatchNormalization({ momentum: 2 })).toThrow(
      'SplitBatchNormalization: `momentum` must be in [0, 1] or null. Received momentum=2.',
    )
    expect(() => splitBatchNormalization({ affine: 'none' as 'shared' })).toThrow(
      "SplitBatchNormalization: `affine` must be 'separate' or 'shared'. Received affine=none.",
    )
    const layer = splitBatchNormalization({})
    expect(() => layer.apply(tf.zeros([4, 2]), { training: true, split: [3, 2] })).toThrow(
      'SplitBatchNormalization: `split` must hold at most 2 row counts that sum to the batch size 4. Received split=[3,2].',
    )
  })
})
