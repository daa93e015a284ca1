import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, expectClose, expectGradients, expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { diffAttention, scaledDotProductAttention } from './diff-attention'

const random = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, 'float32', seed)
const heads = { q: [2, 4, 5, 4], k: [2, 4, 5, 4], v: [2, 2, 5, 3] }
const inputs = ({ q, k, v } = heads) => [random(q, 1), random(k, 2), random(v, 3)] as const
const swap = (x: tf.Tensor) => tf.transpose(x, [0, 2, 1, 3])

describeBackends('attention ops', () => {
  it('lambda 0 is plain attention on the first map; equal maps and lambda 1 give zero', () => {
    const [q, k, v] = inputs()
    const first = (x: tf.Tensor) => tf.stridedSlice(x, [0, 0, 0, 0], x.shape, [1, 2, 1, 1])
    expectClose(
      diffAttention(q, k, v, 0, { causal: true }),
      scaledDotProductAttention(first(q), first(k), v, { causal: true }),
    )
    const same = (x: tf.Tensor) => tf.reshape(tf.stack([first(x), first(x)], 2), x.shape)
    expectClose(diffAttention(same(q), same(k), v, 1), tf.zeros([2, 2, 5, 3]), { atol: 1e-6 })
  })

  it('the layouts agree', () => {
    const [q, k, v] = inputs()
    const lambda = tf.randomUniform([2, 2, 5], 0, 1, 'float32', 4)
    const lengthFirst = diffAttention(swap(q), swap(k), swap(v), tf.transpose(lambda, [0, 2, 1]), {
      causal: true,
      layout: 'length-first',
    })
    expectClose(swap(lengthFirst), diffAttention(q, k, v, lambda, { causal: true }))
  })

  it('grouped heads read the key heads of their mapping', () => {
    const [q, k, v] = inputs({ q: [1, 8, 3, 4], k: [1, 4, 3, 4], v: [1, 2, 3, 4] })
    const pick = (x: tf.Tensor, indices: number[]) =>
      tf.concat(
        indices.map((i) => tf.slice(x, [0, i, 0, 0], [1, 1, 3, 4])),
        1,
      )
    const vs = pick(v, [0, 0, 1, 1])
    expectClose(diffAttention(q, k, v, 0.4), diffAttention(q, pick(k, [0, 1, 0, 1, 2, 3, 2, 3]), vs, 0.4))
    expectClose(
      diffAttention(q, k, v, 0.4, { keyMapping: 'naive-compat' }),
      diffAttention(q, pick(k, [0, 0, 1, 1, 2, 2, 3, 3]), vs, 0.4),
    )
    const shared = pick(k, [0, 2])
    expectClose(
      diffAttention(q, shared, v, 0.4),
      diffAttention(q, pick(k, [0, 0, 0, 0, 2, 2, 2, 2]), vs, 0.4),
    )
  })

  it('masks combine with causality, and a query that sees nothing gets zeros and no gradient', () => {
    const [q, k, v] = inputs()
    const keyMask = tf.tensor2d([0, 1, 1, 1, 1, 1, 1, 0, 1, 1], [2, 5], 'bool')
    const bias = random([5, 5], 5)
    const seen = tf.tidy(() => {
      const hidden = (i: number, b: number, j: number) => j > i || (b === 0 ? j === 0 : j === 2)
      const values = Array.from({ length: 50 }, (_, n) =>
        hidden(Math.floor(n / 5) % 5, Math.floor(n / 25), n % 5) ? Number.NEGATIVE_INFINITY : 0,
      )
      return tf.add(tf.tensor4d(values, [2, 1, 5, 5]), bias)
    })
    const o = diffAttention(q, k, v, 0.4, { causal: true, mask: bias, keyMask })
    expectClose(o, diffAttention(q, k, v, 0.4, { mask: seen }))
    expectClose(tf.slice(o, [0, 0, 0, 0], [1, 2, 1, 3]), tf.zeros([1, 2, 1, 3]), { atol: 0 })
    const dq = tf.grad((x) => diffAttention(x, k, v, 0.4, { causal: true, mask: bias, keyMask }))(q)
    expectClose(tf.slice(dq, [0, 0, 0, 0], [1, 4, 1, 4]), tf.zeros([1, 4, 1, 4]), { atol: 0 })
  })

  it('the gradients are the slopes, with a lambda per token', () => {
    const [q, k, v] = inputs()
    const lambda = tf.randomUniform([2, 2, 5], 0, 1, 'float32', 4)
    expectGradients((q, k, v, l) => diffAttention(q!, k!, v!, l!, { causal: true }), [q, k, v, lambda])
  })

  it('fewer queries than keys are the last ones', () => {
    const [q, k, v] = inputs()
    const tail = tf.slice(q, [0, 0, 3, 0], [2, 4, 2, 4])
    expectClose(
      diffAttention(tail, k, v, 0.4, { causal: true }),
      tf.slice(diffAttention(q, k, v, 0.4, { causal: true }), [0, 0, 3, 0], [2, 2, 2, 3]),
    )
  })

  it('logits of 1e4 stay finite, NaN stays NaN, nothing is left behind', async () => {
    const [q, k, v] = inputs()
    const large = diffAttention(tf.mul(q, 1e4), k, v, 0.5)
    expect(Array.from(large.dataSync()).every(Number.isFinite)).toBe(true)
    const bad = diffAttention(tf.mul(q, Number.NaN), k, v, 0.5)
    expect(Array.from(bad.dataSync()).every(Number.isNaN)).toBe(true)
    await expectNoTensorLeak(() => diffAttention(q, k, v, 0.5, { causal: true }).dispose())
  })

  it('half floats for tiles move results by their rounding at most', () => {
    const [q, k, v] = inputs()
    const half = diffAttention(q, k, v, 0.4, { causal: true, tilePrecision: 'float16' })
    expectClose(half, diffAttention(q, k, v, 0.4, { causal: true }), { rtol: 0, atol: 4e-3 })
  })

  it('dropout leaves out weights of both maps, and keeps their expectation', () => {
    const [q, k] = inputs()
    // Values that tell keys apart: each result is a row of A1 - lambda A2.
    const v = tf.tile(tf.reshape(tf.eye(5), [1, 1, 5, 5]), [2, 2, 1, 1])
    const weights = diffAttention(q, k, v, 0.5)
    const draw = (seed: number) => diffAttention(q, k, v, 0.5, { dropout: 0.25, seed })
    let [sum, zeros] = [tf.zerosLike(weights), 0]
    const draws = 200
    for (let seed = 0; seed < draws; seed++) {
      const drawn = draw(seed)
      sum = tf.add(sum, drawn)
      zeros += Array.from(drawn.dataSync()).filter((weight) => weight === 0).length
    }
    const mean = tf.div(sum, draws)
    // Weights below 1, kept with 3/4: deviations below sqrt(1/3 (1 + 1/4)), and of the mean a fourteenth of that.
    expectClose(mean, weights, { rtol: 0, atol: 0.13 })
    expect(Math.abs(tf.mean(tf.sub(mean, weights)).dataSync()[0]!)).toBeLessThan(0.01)
    expect(zeros / (draws * weights.size)).toBeCloseTo(0.25 ** 2, 1) // both maps dropped
    expectClose(draw(7), draw(7))
  })

  it('says what does not fit', () => {
    const [q, k, v] = inputs()
    expect(() => diffAttention(q, k, tf.zeros([2, 3, 5, 3]), 0)).toThrow(
      'diffAttention: the heads of `v` must divide the result heads. Received q=[2,4,5,4], k=[2,4,5,4], v=[2,3,5,3].',
    )
    expect(() => diffAttention(q, k, v, 0, { dropout: 1 })).toThrow(
      'diffAttention: `dropout` must be in [0, 1). Received dropout=1.',
    )
    expect(() => diffAttention(q, k, v, 0, { tilePrecision: 'half' as 'float16' })).toThrow(
      "diffAttention: `tilePrecision` must be 'float32' or 'float16'. Received tilePrecision=half.",
    )
    expect(() => diffAttention(q, k, v, tf.zeros([3]))).toThrow(
      'diffAttention: `lambda` must be a scalar or [2,2,5]. Received lambda=[3].',
    )
    expect(() => diffAttention(q, k, v, 0, { keyMask: tf.ones([5, 2]) })).toThrow(
      '`keyMask` must be [batch, key]. Received keyMask=[5,2], batch=2, key=5.',
    )
  })
})
