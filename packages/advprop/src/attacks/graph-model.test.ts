/** Attacks on a GraphModel: a graph as tfjs's converter writes it, loaded from memory. */
import { loadGraphModel } from '@tensorflow/tfjs-converter'
import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { evaluateRobustness } from '../evaluation/evaluate-robustness'
import { apgd } from './apgd'
import { attacks } from './cases'
import { pgd } from './pgd'
import type { AttackTarget } from './target'

const [SIDE, FILTERS, CLASSES] = [6, 3, 4]
const weights = {
  kernel: { shape: [3, 3, 1, FILTERS], seed: 1 },
  bias: { shape: [FILTERS], seed: 2 },
  dense: { shape: [FILTERS, CLASSES], seed: 3 },
}
const valuesOf = ({ shape, seed }: { shape: number[]; seed: number }) =>
  Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => Math.sin(1 + 3.7 * i + 11 * seed))

const type = { type: 'DT_FLOAT' }
const text = (value: string) => ({ s: btoa(value) })
const ints = (...values: number[]) => ({ list: { i: values.map(String) } })
const dims = (...sizes: number[]) => ({ dim: sizes.map((size) => ({ size: String(size) })) })
const constant = (name: string, dtype: string, shape: number[]) => ({
  ...{ name, op: 'Const' },
  attr: { dtype: { type: dtype }, value: { tensor: { dtype, tensorShape: dims(...shape) } } },
})

/** images -> 3 x 3 convolution with stride 2 -> bias -> ReLU -> mean over space -> dense. */
const node = [
  { name: 'images', op: 'Placeholder', attr: { dtype: type, shape: { shape: dims(-1, SIDE, SIDE, 1) } } },
  ...Object.entries(weights).map(([name, { shape }]) => constant(name, 'DT_FLOAT', shape)),
  constant('axes', 'DT_INT32', [2]),
  {
    ...{ name: 'conv', op: 'Conv2D', input: ['images', 'kernel'] },
    attr: {
      T: type,
      strides: ints(1, 2, 2, 1),
      dilations: ints(1, 1, 1, 1),
      padding: text('SAME'),
      data_format: text('NHWC'),
    },
  },
  { name: 'biased', op: 'BiasAdd', input: ['conv', 'bias'], attr: { T: type, data_format: text('NHWC') } },
  { name: 'relu', op: 'Relu', input: ['biased'], attr: { T: type } },
  { name: 'pooled', op: 'Mean', input: ['relu', 'axes'], attr: { T: type, keep_dims: { b: false } } },
  {
    ...{ name: 'logits', op: 'MatMul', input: ['pooled', 'dense'] },
    attr: { T: type, transpose_a: { b: false }, transpose_b: { b: false } },
  },
]

function converted() {
  const floats = Object.values(weights).flatMap((weight) => [...valuesOf(weight)])
  const weightData = new Uint8Array(4 * floats.length + 8)
  weightData.set(new Uint8Array(Float32Array.from(floats).buffer))
  weightData.set(new Uint8Array(Int32Array.of(1, 2).buffer), 4 * floats.length)
  return loadGraphModel(
    tf.io.fromMemory({
      modelTopology: { node, versions: { producer: 440 } },
      weightSpecs: [
        ...Object.entries(weights).map(([name, { shape }]) => ({ name, shape, dtype: 'float32' as const })),
        { name: 'axes', shape: [2], dtype: 'int32' },
      ],
      weightData: weightData.buffer,
    }),
  )
}

/** The same network as plain ops. */
const network = (images: tf.Tensor) => {
  const [kernel, bias, dense] = Object.values(weights).map((w) => tf.tensor(valuesOf(w), w.shape))
  const conv = tf.conv2d(images as tf.Tensor4D, kernel as tf.Tensor4D, 2, 'same')
  return tf.matMul(tf.mean(tf.relu(tf.add(conv, bias!)), [1, 2]), dense as tf.Tensor2D)
}

const images = () => tf.randomUniform([6, SIDE, SIDE, 1], 0, 1, 'float32', 4) as tf.Tensor4D
const labelsOf = (x: tf.Tensor) => tf.argMax(network(x), 1)

describeBackends('a GraphModel', () => {
  it('is attacked as the function that it computes is', async () => {
    const model = await converted()
    const x = images()
    const y = labelsOf(x)
    expectClose(model.predict(x) as tf.Tensor, network(x))
    const options = { epsilon: 0.1, iterations: 4, seed: 2 }
    for (const attack of [pgd, apgd])
      expectClose(attack(model, x, y, options), attack(network, x, y, options), { atol: 1e-4 })
    model.dispose()
  })

  it.each(Object.entries(attacks))('%s runs, and leaves no tensor behind', async (_, { run }) => {
    const model = await converted()
    const x = images()
    const y = labelsOf(x)
    run(model, x, y, { epsilon: 0.05 }).dispose()
    const adversarial = await expectNoTensorLeak(() => run(model, x, y, { epsilon: 0.05 }), 1)
    expect(adversarial.shape).toEqual(x.shape)
    model.dispose()
  })

  it('is evaluated as the function that it computes is', async () => {
    const model = await converted()
    const x = images()
    const y = labelsOf(x)
    const strong = {
      'PGD-4': (t: AttackTarget, i: tf.Tensor, l: tf.Tensor) => pgd(t, i, l, { epsilon: 0.2, iterations: 4 }),
    }
    const options = { epsilon: 0.2, attacks: strong }
    const [report, expected] = [
      await evaluateRobustness(model, x, y, options),
      await evaluateRobustness(network, x, y, options),
    ]
    expect(report.clean.accuracy).toBe(1)
    expect({ ...report.attacks, worst: report.worstCase }).toEqual({
      ...expected.attacks,
      worst: expected.worstCase,
    })
    model.dispose()
  })
})
