import * as tf from '@tensorflow/tfjs-core'
import { layers } from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose } from '@tfgraft/testing'
import { expect, it } from 'vitest'

const values = (...shape: number[]) => tf.randomNormal(shape, 0.5, 2, 'float32', 1)
type Layer = ReturnType<typeof layers.batchNormalization | typeof layers.layerNormalization>

/** Output, gradients and moving averages after two training steps. */
function train(layer: Layer, x: tf.Tensor, training: boolean): number[][] {
  return tf.tidy(() => {
    tf.dispose(layer.apply(x) as tf.Tensor) // makes the weights
    const loss = (x: tf.Tensor) => {
      const y = layer.apply(x, { training }) as tf.Tensor
      return tf.sum(tf.mul(tf.square(y), tf.reshape(tf.range(0, y.size, 1), y.shape))) as tf.Scalar
    }
    const { value, grads } = tf.variableGrads(() => loss(x))
    const dx = tf.grad(loss)(x)
    const weights = layer.getWeights()
    const numbers = [value, dx, ...Object.values(grads), ...weights].map((t) => Array.from(t.dataSync()))
    for (const weight of layer.weights) weight.dispose()
    return numbers
  })
}

const cases: [title: string, make: () => Layer, shape: number[], training?: boolean][] = [
  ['batch norm', () => layers.batchNormalization(), [6, 5]],
  ['batch norm of images', () => layers.batchNormalization({ momentum: 0.9 }), [2, 3, 3, 4]],
  ['batch norm of axis 1', () => layers.batchNormalization({ axis: 1 }), [4, 3, 2]],
  ['batch norm, inference', () => layers.batchNormalization(), [6, 5], false],
  ['layer norm', () => layers.layerNormalization(), [6, 5]],
  ['layer norm of sequences', () => layers.layerNormalization({ epsilon: 0.1 }), [2, 3, 4]],
  ['layer norm of two axes', () => layers.layerNormalization({ axis: [1, 2] }), [2, 3, 4]],
]

describeBackends(
  'fused normalization layers',
  (backend) => {
    it.each(cases)(
      '%s: as on tfjs-cpu, with gradients and averages',
      async (_, make, shape, training = true) => {
        const x = values(...shape)
        const actual = train(make(), x, training)
        await tf.setBackend('cpu')
        const expected = train(make(), x, training)
        await tf.setBackend(backend)
        x.dispose()
        for (const [i, numbers] of expected.entries())
          expectClose(actual[i]!, numbers, { rtol: 2e-4, atol: 2e-4 })
      },
    )

    it('run as one op', async () => {
      const x = values(4, 3)
      const names = async (layer: Layer, training: boolean) =>
        (await tf.profile(() => layer.apply(x, { training }) as tf.Tensor)).kernelNames
      expect(await names(layers.batchNormalization(), true)).toContain('backends/BatchNormTraining')
      expect(await names(layers.batchNormalization(), false)).not.toContain('backends/BatchNormTraining')
      expect(await names(layers.layerNormalization(), false)).toContain('backends/LayerNorm')
      x.dispose()
    })

    it('train without scale and offset, which tfjs throws on', () => {
      tf.tidy(() => {
        const layer = layers.batchNormalization({ scale: false, center: false, epsilon: 0 })
        const y = layer.apply(tf.tensor2d([1, 3], [2, 1]), { training: true }) as tf.Tensor
        expectClose(y, { shape: [2, 1], data: [-1, 1] })
        const cube = (make: () => Layer) => (x: tf.Tensor) =>
          tf.sum(tf.pow(make().apply(x, { training: true }) as tf.Tensor, 3))
        const x = values(3, 5)
        const plain = { scale: false, center: false }
        for (const make of [layers.batchNormalization, layers.layerNormalization])
          expectClose(tf.grad(cube(() => make(plain)))(x), tf.grad(cube(() => make()))(x))
      })
    })
  },
  ['wasm'],
)
