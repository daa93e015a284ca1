import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, describeOp, expectClose, expectGradients, type OpCase } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { layerNorm, layerNormOps } from './layer-norm'

const values = (shape: number[], seed: number, scale = 1) => tf.randomNormal(shape, 0, scale, 'float32', seed)
type Inputs = { x: tf.Tensor; gain?: tf.Tensor; bias?: tf.Tensor }
const attrs = { epsilon: 1e-3 }

const cases: OpCase<Inputs, { epsilon: number }>[] = (
  [
    ['whole vectors', [3, 8]],
    ['odd length', [5, 7]],
    ['length 1', [4, 1]],
    ['one axis', [13]],
    ['many rows', [300, 6]],
    ['four axes', [2, 3, 2, 5]],
  ] as const
).map(([title, shape]) => {
  const n = shape.at(-1)!
  return {
    title,
    inputs: () => ({ x: values([...shape], 1), gain: values([n], 2), bias: values([n], 3) }),
    attrs,
  }
})
cases.push(
  { title: 'without gain and bias', inputs: () => ({ x: values([3, 6], 1) }), attrs },
  { title: 'without gain', inputs: () => ({ x: values([3, 6], 1), bias: values([6], 2) }), attrs },
  { title: 'without bias', inputs: () => ({ x: values([3, 6], 1), gain: values([6], 2) }), attrs },
  {
    title: 'far from zero',
    inputs: () => ({ x: tf.tidy(() => tf.add(values([2, 9], 3), 1000)), gain: tf.ones([9]) }),
    attrs,
    tolerance: { rtol: 1e-3, atol: 1e-3 },
  },
  {
    title: 'NaN stays in its row',
    inputs: () => ({ x: tf.tensor2d([1, Number.NaN, 3, 4, 5, 6], [2, 3]), gain: tf.ones([3]) }),
    attrs,
  },
)

describeOp(layerNormOps.forward, cases)

describeBackends('layerNorm', () => {
  it('gives mean 0 and variance 1, and agrees with finite differences', () => {
    tf.tidy(() => {
      const { mean, variance } = tf.moments(layerNorm(values([3, 50], 1), undefined, undefined, 0), 1)
      expectClose(mean, { shape: [3], data: [0, 0, 0] })
      expectClose(variance, { shape: [3], data: [1, 1, 1] })
      expectGradients(
        (x, gain, bias) => layerNorm(x!, gain!, bias!),
        [values([4, 6], 5), values([6], 6), values([6], 7)],
      )
    })
  })

  it('can be differentiated twice', () => {
    tf.tidy(() => {
      const norm = (x: tf.Tensor) =>
        tf.sum(tf.square(tf.grad((v) => tf.square(layerNorm(v)))(x))) as tf.Scalar
      expectGradients((v) => norm(v!), [values([2, 5], 7)], { step: 1e-3 })
    })
  })

  it('names the shapes that do not fit', () => {
    expect(() => layerNorm(tf.ones([2, 3]), tf.ones([2]))).toThrow(
      "layerNorm: `gain` must have the length of `x`'s last axis. Received x=[2,3], gain=[2].",
    )
    expect(() => layerNorm(tf.ones([2, 3]), undefined, tf.ones([3, 1]))).toThrow(
      "layerNorm: `bias` must have the length of `x`'s last axis. Received x=[2,3], bias=[3,1].",
    )
  })
})
