import * as tf from '@tensorflow/tfjs-core'
import { layers } from '@tensorflow/tfjs-layers'
import { describeBackends, describeOp, expectClose, expectGradients, type OpCase } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { erfGradientOp } from './erf-gradient'
import { gelu, geluOps } from './gelu'

const normal = (size: number, seed = 1) => tf.randomNormal([size], 0, 2, 'float32', seed)

const cases: OpCase<{ x: tf.Tensor }, { approximate: boolean }>[] = [false, true].flatMap((approximate) => [
  ...[1, 4, 7, 33].map((size) => ({
    title: `${size} values, ${approximate ? 'tanh' : 'erf'}`,
    inputs: () => ({ x: normal(size) }),
    attrs: { approximate },
    tolerance: { atol: 2e-6 },
  })),
  {
    title: `nothing, ${approximate ? 'tanh' : 'erf'}`,
    inputs: () => ({ x: tf.zeros([0, 3]) }),
    attrs: { approximate },
    gradient: false,
  },
  {
    title: `far out, and NaN, ${approximate ? 'tanh' : 'erf'}`,
    inputs: () => ({ x: tf.tensor1d([-100, -6, 0, 6, 100, Number.NaN]) }),
    attrs: { approximate },
    gradient: false,
    tolerance: { atol: 2e-6 },
  },
])

describeOp(geluOps.forward, cases)
describeOp(
  geluOps.backward,
  cases.map((row) => ({ ...row, gradient: false, inputs: () => ({ ...row.inputs(), dy: row.inputs().x }) })),
)
describeOp(
  erfGradientOp,
  [1, 4, 7, 33].map((size) => ({
    title: `${size} values`,
    inputs: () => ({ x: normal(size), dy: normal(size, 2) }),
    attrs: undefined,
  })),
)

/** The error function in double precision, by its series. */
function erf(x: number): number {
  let [term, sum] = [x, x]
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}

describeBackends('gelu', (backend) => {
  it('is x Phi(x) in double precision', () => {
    tf.tidy(() => {
      const x = tf.linspace(-4, 4, 801)
      const expected = Array.from(x.dataSync(), (v) => (v / 2) * (1 + erf(v / Math.SQRT2)))
      expectClose(gelu(x), { shape: [801], data: expected }, { rtol: 2e-5, atol: 1e-6 })
    })
  })

  it.each([false, true])('agrees with finite differences, approximate: %s', (approximate) => {
    tf.tidy(() => expectGradients((x) => gelu(x!, { approximate }), [normal(9)]))
  })

  it('and the error function have slopes that are right far out', () => {
    tf.tidy(() => {
      const x = tf.tensor1d([-30, 0, 30])
      expectClose(tf.grad((x) => gelu(x))(x), { shape: [3], data: [0, 0.5, 1] })
      expectClose(tf.grad((x) => tf.erf(x))(x), { shape: [3], data: [0, 2 / Math.sqrt(Math.PI), 0] })
    })
  })

  it.each(['gelu', 'gelu_new'] as const)(
    'is what the activation %s of layers runs as',
    async (activation) => {
      const layer = layers.activation({ activation: activation as never })
      const x = normal(12)
      const { kernelNames } = await tf.profile(() => layer.apply(x) as tf.Tensor)
      // Kernels of ours stand in only on wasm.
      if (backend === 'wasm') expect(kernelNames).toEqual(['backends/Gelu'])
      else expect(kernelNames).not.toContain('backends/Gelu')
      tf.tidy(() =>
        expectClose(layer.apply(x) as tf.Tensor, gelu(x, { approximate: activation === 'gelu_new' })),
      )
      x.dispose()
    },
  )
})
