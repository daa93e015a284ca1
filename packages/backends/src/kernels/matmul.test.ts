import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, expectClose, expectGradients, expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { onBackend } from '../training-kernels/on-backend'

const random = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, 'float32', seed)

/** Plain loops in double precision. */
function naive(a: tf.Tensor, b: tf.Tensor, transposeA: boolean, transposeB: boolean) {
  const [m, k] = transposeA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!]
  const n = transposeB ? b.shape[0]! : b.shape[1]!
  const [x, y] = [a.dataSync(), b.dataSync()]
  const data = new Array<number>(m * n).fill(0)
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++)
      for (let p = 0; p < k; p++)
        data[i * n + j]! += x[transposeA ? p * m + i : i * k + p]! * y[transposeB ? j * k + p : p * n + j]!
  return { shape: [m, n], data }
}

const sizes = [
  [1, 1, 1],
  [1, 37, 29],
  [37, 29, 1],
  [3, 5, 2],
  [4, 8, 12],
  [5, 9, 13],
  [17, 33, 8],
  [17, 257, 20],
  [16, 300, 27],
  [133, 70, 31],
  [2, 3, 1600],
]
const transpositions = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const

describeBackends('matMul', () => {
  it.each(sizes)('is the product in double precision: %i x %i x %i, all transpositions', (m, k, n) => {
    for (const [transposeA, transposeB] of transpositions)
      tf.tidy(() => {
        const a = random(transposeA ? [k, m] : [m, k], 1)
        const b = random(transposeB ? [n, k] : [k, n], 2)
        expectClose(tf.matMul(a, b, transposeA, transposeB), naive(a, b, transposeA, transposeB), {
          rtol: 1e-5,
          atol: 2e-5,
        })
      })
  })

  it.each([
    [[2], [2]],
    [[3], [1]],
    [[1], [3]],
    [[2, 1], [3]],
    [
      [2, 1],
      [1, 3],
    ],
    [[], [4]],
  ])('broadcasts batches %j and %j', (batchA, batchB) => {
    for (const [transposeA, transposeB] of transpositions)
      tf.tidy(() => {
        const a = random([...batchA, ...(transposeA ? [4, 5] : [5, 4])], 3)
        const b = random([...batchB, ...(transposeB ? [6, 4] : [4, 6])], 4)
        const actual = tf.matMul(a, b, transposeA, transposeB)
        const [x, y] = [a, b].map((t, i) => {
          const swapped = [transposeA, transposeB][i]
          return swapped
            ? tf.transpose(
                t,
                [...t.shape.keys()].map((_, j, all) => swapAxes(j, all.length)),
              )
            : t
        }) as [tf.Tensor, tf.Tensor]
        const expected = tf.sum(tf.mul(tf.expandDims(x, -1), tf.expandDims(y, -3)), -2)
        expectClose(actual, expected)
      })
  })

  it.each(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'prelu', 'leakyrelu'] as const)(
    'fuses bias and %s, transposed and not, with a long inner dimension',
    (activation) => {
      for (const [transposeA, transposeB] of transpositions)
        tf.tidy(() => {
          const a = random(transposeA ? [100, 5] : [5, 100], 5)
          const b = random(transposeB ? [7, 100] : [100, 7], 6)
          const bias = random([7], 7)
          const preluActivationWeights = activation === 'prelu' ? random([7], 8) : undefined
          const fused = () =>
            tf.fused.matMul({ a, b, transposeA, transposeB, bias, activation, preluActivationWeights })
          const [expected] = onBackend('cpu', fused)
          expectClose(fused(), expected!)
        })
    },
  )

  it('adds a bias of any shape that broadcasts', () => {
    tf.tidy(() => {
      const [a, b] = [random([3, 4], 9), random([4, 2], 10)]
      for (const bias of [
        tf.scalar(2),
        tf.ones([1]),
        random([1, 2], 11),
        random([3, 1], 12),
        random([3, 2], 13),
      ])
        expectClose(
          tf.fused.matMul({ a, b, bias, activation: 'relu' }),
          tf.relu(tf.add(tf.matMul(a, b), bias)),
        )
    })
  })

  it('has right gradients, fused and not', () => {
    tf.tidy(() => {
      const [a, b, bias] = [random([5, 8], 14), random([8, 3], 15), random([3], 16)]
      expectGradients((x, y) => tf.matMul(x!, y!), [a, b])
      expectGradients(
        (x, y, z) => tf.fused.matMul({ a: x!, b: y!, bias: z!, activation: 'sigmoid' }),
        [a, b, bias],
      )
    })
  })

  it('gives zeros for an empty inner dimension, and nothing for an empty batch', () => {
    tf.tidy(() => {
      expectClose(tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 3])), { shape: [2, 3], data: [0, 0, 0, 0, 0, 0] })
      expect(tf.matMul(tf.zeros([0, 2]), tf.zeros([2, 3])).shape).toEqual([0, 3])
    })
  })

  it('passes NaN and infinity on to the elements that depend on them', () => {
    tf.tidy(() => {
      const y = tf.matMul(tf.tensor2d([Number.NaN, 1, 2, Number.POSITIVE_INFINITY], [2, 2]), tf.ones([2, 3]))
      expect(Array.from(y.dataSync())).toEqual([
        ...[Number.NaN, Number.NaN, Number.NaN],
        ...[Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
      ])
    })
  })

  it('leaves no tensor behind', () =>
    expectNoTensorLeak(() => {
      const [a, b, bias] = [random([2, 3, 4], 1), random([4, 5], 2), tf.scalar(1)]
      tf.dispose([tf.matMul(a, b), tf.fused.matMul({ a: tf.reshape(a, [6, 4]), b, bias }), a, b, bias])
    }, 1))
}, ['wasm'])

const swapAxes = (axis: number, rank: number) =>
  axis === rank - 1 ? rank - 2 : axis === rank - 2 ? rank - 1 : axis
