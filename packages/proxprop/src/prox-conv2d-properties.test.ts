/** Properties of the convolution's step over many shapes: not in `prox-conv2d.test.ts`, which runs on slow backends too. */
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { proxConv2d } from './prox-conv2d'

/** The weights' gradients of sum(layer(x) * upstream), for a fixed random upstream. */
function gradients(layer: tfl.layers.Layer, x: tf.Tensor): tf.Tensor[] {
  layer.apply(x)
  const variables = layer.trainableWeights.map((weight) => weight.read() as tf.Variable)
  const { grads } = tf.variableGrads(() => {
    const z = layer.apply(x) as tf.Tensor
    return tf.sum(tf.mul(z, tf.randomNormal(z.shape, 0, 1, 'float32', 12))) as tf.Scalar
  }, variables)
  return variables.map(({ name }) => grads[name]!)
}

describeBackends('ProxConv2D, properties', () => {
  it.each([
    {
      title: 'more rows than unknowns, bias by its gradient',
      shape: [2, 7, 8, 2],
      bias: 'gradient' as const,
    },
    { title: 'fewer rows than unknowns', shape: [1, 4, 4, 5] },
    {
      title: 'fewer rows than unknowns, bias by its gradient',
      shape: [1, 4, 4, 5],
      bias: 'gradient' as const,
    },
  ])('solves exactly what CG converges to: $title', ({ title, shape, ...options }) => {
    tf.tidy(() => {
      const config = { filters: 3, kernelSize: 3, tau: 0.02, kernelInitializer: 'ones', ...options } as const
      const x = tf.randomNormal(shape, 0, 1, 'float32', 5)
      const exact = proxConv2d({ ...config, solver: 'exact' })
      const cg = proxConv2d({ ...config, solver: { cg: 40, tolerance: 1e-13 } })
      const [actual, expected] = [exact, cg].map((layer) => gradients(layer, x))
      actual!.forEach((weight, i) => void expectClose(weight, expected![i]!, { rtol: 1e-3, atol: 1e-4 }))
      for (const layer of [exact, cg]) layer.dispose()
    })
  })

  it.each(['exact', { cg: 3 }] as const)('descends on random layers, solved by %o', (solver) => {
    tf.tidy(() => {
      for (let seed = 0; seed < 12; seed++) {
        const [n, side, channels] = [1 + (seed % 3), 3 + (seed % 5), 1 + (seed % 4)]
        const tau = 10 ** ((seed % 6) - 3)
        const x = tf.randomNormal([n, side, side, channels], 0, 1, 'float32', seed)
        const kernelInitializer = tfl.initializers.glorotNormal({ seed })
        const [step, plain] = [solver, 'gradient' as const].map((given) => {
          const layer = proxConv2d({ filters: 3, kernelSize: 3, tau, solver: given, kernelInitializer })
          const weights = gradients(layer, x)
          layer.dispose()
          return weights.flatMap((weight) => [...weight.dataSync()])
        })
        expect(step!.reduce((sum, value, i) => sum + value * plain![i]!, 0)).toBeGreaterThan(0)
      }
    })
  })

  it.each(['exact', { cg: 3 }] as const)('stays finite on degenerate images, solved by %o', (solver) => {
    tf.tidy(() => {
      const images: Record<string, tf.Tensor> = {
        zeros: tf.zeros([2, 5, 5, 2]),
        'one constant image': tf.ones([3, 5, 5, 2]),
        'one pixel': tf.randomNormal([1, 1, 1, 2], 0, 1, 'float32', 1),
        'scaled by 1e6': tf.randomNormal([2, 5, 5, 2], 0, 1e6, 'float32', 2),
      }
      for (const [title, x] of Object.entries(images))
        for (const tau of [1e-6, 1, 1e6]) {
          const layer = proxConv2d({ filters: 2, kernelSize: 3, padding: 'same', tau, solver })
          const weights = gradients(layer, x)
          for (const weight of weights)
            for (const value of weight.dataSync())
              expect(Number.isFinite(value), `${title}, tau ${tau}`).toBe(true)
          layer.dispose()
        }
    })
  })
})
