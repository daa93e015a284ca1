import * as tf from '@tensorflow/tfjs-core'
import { layers } from '@tensorflow/tfjs-layers'
import {
  describeBackends,
  describeOp,
  expectClose,
  expectGradients,
  expectNoTensorLeak,
} from '@tfgraft/testing'
import { describe, expect, it } from 'vitest'
import { philox } from './philox'
import { dropout, dropoutOp, randomNormal, randomOp, randomUniform, truncatedNormal } from './random'

/** The known answers that come with the authors' library, Random123: counter, key, words. */
const known = [
  ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
  ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
  ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
] as const
const words = (hex: string) => hex.split(' ').map((word) => Number.parseInt(word, 16))

describe('philox', () => {
  it.each(known)('counter %s, key %s: %s', (counter, key, expected) => {
    expect(philox(words(counter) as never, words(key) as never)).toEqual(words(expected))
  })
})

const kinds = ['uniform', 'normal', 'truncatedNormal'] as const
describeOp(
  randomOp,
  kinds.flatMap((kind) =>
    [[0], [1], [15], [16], [7, 11], [1000]].map((shape) => ({
      title: `${kind}, [${shape}]`,
      inputs: () => ({}) as Record<string, never>,
      attrs: { kind, shape, key: [123, 456] as const, scale: 2, offset: -0.5 },
      gradient: false,
      // In single precision the fit of the truncated quantiles is right to 2e-5.
      tolerance: { rtol: 5e-5, atol: 3e-6 },
    })),
  ),
)
describeOp(
  dropoutOp,
  [1, 15, 16, 77, 1000].map((size) => ({
    title: `${size} values`,
    inputs: () => ({ x: tf.randomNormal([size], 0, 1, 'float32', 1) }),
    attrs: { rate: 0.3, key: [5, 6] as const },
  })),
)

const size = 200_000
const momentsOf = (x: tf.Tensor) => {
  const values = Array.from(x.dataSync())
  const mean = (f: (v: number) => number) => values.reduce((sum, v) => sum + f(v), 0) / values.length
  const average = mean((v) => v)
  const central = (power: number) => mean((v) => (v - average) ** power)
  const variance = central(2)
  return { average, variance, skewness: central(3) / variance ** 1.5, kurtosis: central(4) / variance ** 2 }
}

/** Of the normal distribution within two standard deviations, by its density. */
const truncatedVariance = 1 - (2 * 2 * Math.exp(-2)) / Math.sqrt(2 * Math.PI) / 0.9544997361036416

describeBackends('random numbers', (backend) => {
  it('have the moments of their distributions', () => {
    tf.tidy(() => {
      const cases = [
        [randomUniform([size], { min: 0, max: 1, seed: 1 }), 0.5, 1 / 12, 1.8],
        [randomNormal([size], { seed: 2 }), 0, 1, 3],
        [truncatedNormal([size], { seed: 3 }), 0, truncatedVariance, 2.37],
      ] as const
      for (const [x, mean, variance, kurtosis] of cases) {
        const moments = momentsOf(x)
        // Five standard errors of the mean.
        expect(Math.abs(moments.average - mean)).toBeLessThan(5 * Math.sqrt(variance / size))
        expect(moments.variance / variance).toBeCloseTo(1, 1.7)
        expect(moments.skewness).toBeCloseTo(0, 1.5)
        expect(moments.kurtosis).toBeCloseTo(kurtosis, 1)
      }
    })
  })

  it('keep their limits', () => {
    tf.tidy(() => {
      const uniform = randomUniform([size], { min: 2, max: 3, seed: 1 }).dataSync() as Float32Array
      expect(Math.min(...uniform.subarray(0, 50_000))).toBeGreaterThanOrEqual(2)
      expect(Math.max(...uniform.subarray(0, 50_000))).toBeLessThan(3)
      const truncated = truncatedNormal([50_000], { seed: 1 }).dataSync() as Float32Array
      expect(Math.max(...truncated.map(Math.abs))).toBeLessThanOrEqual(2)
    })
  })

  it('are the same for a seed, others for another, and others each time without one', () => {
    tf.tidy(() => {
      const draw = (seed?: number) =>
        Array.from(randomUniform([20], seed === undefined ? {} : { seed }).dataSync())
      expect(draw(5)).toEqual(draw(5))
      expect(draw(5)).not.toEqual(draw(6))
      expect(draw(5)).not.toEqual(draw(5 + 2 ** 32))
      expect(draw()).not.toEqual(draw())
      // A longer tensor begins as a shorter one.
      expect(Array.from(randomUniform([50], { seed: 5 }).dataSync()).slice(0, 20)).toEqual(draw(5))
    })
  })

  it('leave those of tfjs with a seed as they are', () => {
    tf.tidy(() => {
      expectClose(tf.randomUniform([2], 0, 1, 'float32', 42), [0.68486351, 0.54632449])
      expectClose(tf.randomNormal([2], 0, 1, 'float32', 42), [1.90530932, 0.47744656])
    })
  })

  it('dropout keeps its share, scales it, and lets the same through for the gradient', () =>
    expectNoTensorLeak(() => {
      const x = tf.ones([20_000])
      const y = dropout(x, 0.25, { seed: 3 })
      const dx = tf.grad((x) => dropout(x, 0.25, { seed: 3 }))(x)
      const values = Array.from(y.dataSync())
      expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / Math.fround(0.75))]))
      expect(values.filter((v) => v === 0).length / 20_000).toBeCloseTo(0.25, 1.8)
      expectClose(dx, y)
      tf.dispose([x, y, dx])
    }))

  it('dropout agrees with finite differences', () => {
    tf.tidy(() =>
      expectGradients((x) => dropout(x!, 0.5, { seed: 1 }), [tf.randomNormal([30], 0, 1, 'float32', 1)]),
    )
  })

  it('the dropout layer without a seed runs as the op on wasm, with one as in tfjs', async () => {
    const x = tf.ones([4, 5])
    const names = async (seed?: number) => {
      const layer = layers.dropout({ rate: 0.5, ...(seed === undefined ? {} : { seed }) })
      return (await tf.profile(() => layer.apply(x, { training: true }) as tf.Tensor)).kernelNames
    }
    expect((await names()).includes('backends/Dropout')).toBe(backend === 'wasm')
    expect(await names(1)).not.toContain('backends/Dropout')
    const inference = layers.dropout({ rate: 0.5 }).apply(x) as tf.Tensor
    expectClose(inference, x)
    tf.dispose([x, inference])
  })

  it('reject what they cannot do', () => {
    expect(() => randomUniform([1], { max: Number.NaN })).toThrow(
      'randomUniform: `max` must be finite. Received max=NaN.',
    )
    expect(() => randomNormal([1], { seed: 0.5 })).toThrow(
      'randomNormal: `seed` must be an integer. Received seed=0.5.',
    )
    tf.tidy(() => {
      expect(() => dropout(tf.ones([1]), 1)).toThrow('dropout: `rate` must lie in [0, 1). Received rate=1.')
    })
  })
})
