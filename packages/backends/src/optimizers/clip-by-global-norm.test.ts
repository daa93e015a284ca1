import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, describeOp, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { clipByGlobalNorm, clipByGlobalNormOp } from './clip-by-global-norm'

const values = (size: number, seed: number) => tf.randomNormal([size], 0, 1, 'float32', seed)
const inputs = (sizes: number[]) => () => Object.fromEntries(sizes.map((size, i) => [i, values(size, i + 1)]))

describeOp(
  clipByGlobalNormOp,
  [
    { sizes: [1], maxNorm: 0.1 },
    { sizes: [5, 17, 33], maxNorm: 0.5 },
    { sizes: [5, 17, 33], maxNorm: 1000 },
    { sizes: [4095, 4096, 4097, 9001], maxNorm: 2 },
    { sizes: Array.from({ length: 40 }, (_, i) => i + 1), maxNorm: 3 },
  ].map(({ sizes, maxNorm }) => ({
    title: `${sizes.length} tensors, from ${sizes[0]} values, to a norm of ${maxNorm}`,
    inputs: inputs(sizes),
    attrs: { maxNorm },
    gradient: false,
  })),
)

describeBackends('clipByGlobalNorm', () => {
  it('scales to the norm in double precision, and leaves what is below it alone', () => {
    tf.tidy(() => {
      const tensors = [values(30_000, 1), values(7, 2)]
      const norm = Math.hypot(
        ...tensors.map((x) => Math.sqrt(Array.from(x.dataSync()).reduce((sum, v) => sum + v * v, 0))),
      )
      for (const maxNorm of [norm / 3, norm * 1.01]) {
        const factor = Math.min(1, maxNorm / norm)
        clipByGlobalNorm(tensors, maxNorm).forEach((y, i) => {
          expectClose(
            y,
            { shape: y.shape, data: Array.from(tensors[i]!.dataSync(), (v) => v * factor) },
            { rtol: 2e-6 },
          )
        })
      }
    })
  })

  it('gives tensors of their own: disposing either side leaves the other', () =>
    expectNoTensorLeak(() => {
      for (const maxNorm of [1, 100]) {
        const x = tf.tensor1d([3, 4])
        const [y] = clipByGlobalNorm([x], maxNorm)
        x.dispose()
        expectClose(y!, maxNorm === 1 ? [0.6, 0.8] : [3, 4])
        y!.dispose()
      }
    }))

  it('is NaN everywhere once one gradient is', () => {
    tf.tidy(() => {
      const clipped = clipByGlobalNorm([tf.tensor1d([1, Number.NaN]), tf.tensor1d([2])], 1)
      expect(clipped.map((y) => Array.from(y.dataSync()))).toEqual([[Number.NaN, Number.NaN], [Number.NaN]])
    })
  })

  it('rejects a norm that is not above 0, and an empty list', () => {
    tf.tidy(() => {
      expect(() => clipByGlobalNorm([tf.ones([1])], 0)).toThrow(
        'clipByGlobalNorm: `maxNorm` must be above 0. Received maxNorm=0.',
      )
      expect(() => clipByGlobalNorm([], 1)).toThrow('clipByGlobalNorm: `tensors` must not be empty.')
    })
  })
})
