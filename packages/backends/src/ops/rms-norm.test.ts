import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, describeOp, expectClose, expectGradients, type OpCase } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { rmsNorm, rmsNormOps } from './rms-norm'

const values = (shape: number[], seed: number, scale = 1) => tf.randomNormal(shape, 0, scale, 'float32', seed)
const cases: OpCase<{ x: tf.Tensor; gain: tf.Tensor }, { epsilon: number }>[] = (
  [
    ['whole vectors', [3, 8]],
    ['odd length', [5, 7]],
    ['length 1', [4, 1]],
    ['one axis', [13]],
    ['four axes', [2, 3, 2, 5]],
  ] as const
).map(([title, shape]) => ({
  title,
  inputs: () => ({ x: values([...shape], 1), gain: values([shape.at(-1)!], 2) }),
  attrs: { epsilon: 1e-5 },
}))
cases.push(
  {
    title: 'large values',
    inputs: () => ({ x: values([2, 9], 3, 1e15), gain: tf.ones([9]) }),
    attrs: { epsilon: 1e-5 },
    tolerance: { rtol: 1e-4 },
  },
  {
    title: 'NaN stays in its row',
    inputs: () => ({ x: tf.tensor2d([1, Number.NaN, 3, 4, 5, 6], [2, 3]), gain: tf.ones([3]) }),
    attrs: { epsilon: 1e-5 },
  },
)

describeOp(rmsNormOps.forward, cases)

describeBackends('rmsNorm', () => {
  it('gives unit root mean square and agrees with finite differences', () => {
    tf.tidy(() => {
      const y = rmsNorm(tf.tensor2d([[3, 4]]), tf.ones([2]), 0)
      expectClose(y, { shape: [1, 2], data: [3 / Math.sqrt(12.5), 4 / Math.sqrt(12.5)] })
      expectGradients((x, gain) => rmsNorm(x!, gain!), [values([4, 6], 5), values([6], 6)])
    })
  })

  it('can be differentiated twice', () => {
    tf.tidy(() => {
      const gain = tf.ones([5])
      const norm = (x: tf.Tensor) => tf.sum(tf.square(tf.grad((v) => rmsNorm(v, gain))(x))) as tf.Scalar
      const x = values([2, 5], 7)
      expectGradients((v) => norm(v!), [x], { step: 1e-3 })
      const plain = (v: tf.Tensor) => tf.div(v, tf.sqrt(tf.add(tf.mean(tf.square(v), -1, true), 1e-5)))
      const expected = tf.grad((v) => tf.sum(tf.square(tf.grad(plain)(v))))(x)
      expectClose(tf.grad(norm)(x), expected)
    })
  })

  it('names the shapes that do not fit', () => {
    expect(() => rmsNorm(tf.ones([2, 3]), tf.ones([2]))).toThrow(
      "rmsNorm: `gain` must have the length of `x`'s last axis. Received x=[2,3], gain=[2].",
    )
  })
})
