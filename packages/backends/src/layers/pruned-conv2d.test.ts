import * as tf from '@tensorflow/tfjs-core'
import { layers } from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { withoutFusion } from '../training-kernels/fusion'

const image = () => tf.randomNormal([2, 7, 6, 3], 0, 1, 'float32', 1) as tf.Tensor4D

/** A layer, built, with its filter. */
function layerOf(args: Partial<Parameters<typeof layers.conv2d>[0]> = {}) {
  const layer = layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same', useBias: false, ...args })
  layer.build([null, 7, 6, 3])
  return { layer, filter: layer.trainableWeights[0]!.read() as tf.Variable }
}

const loss = (y: unknown) => tf.sum(tf.square(y as tf.Tensor)) as tf.Scalar
async function kernelsOf(body: () => tf.TensorContainer): Promise<string[]> {
  const { kernelNames, result } = await tf.profile(body)
  tf.dispose(result)
  return kernelNames
}

describeBackends('the Conv2D layer under a gradient', () => {
  it.each([{}, { strides: 2 }, { padding: 'valid' as const, strides: [1, 2] as [number, number] }])(
    'has the output and the gradients of the fused op: %j',
    (args) => {
      tf.tidy(() => {
        const { layer, filter } = layerOf(args)
        const { strides = 1, padding = 'same' } = args
        const fused = (x: tf.Tensor) =>
          tf.fused.conv2d({ x: x as tf.Tensor4D, filter: filter as tf.Tensor4D, strides, pad: padding })
        const x = image()
        const [ours, theirs] = [(v: tf.Tensor) => loss(layer.apply(v)), (v: tf.Tensor) => loss(fused(v))]
        expectClose(tf.grad(ours)(x), tf.grad(theirs)(x))
        const [actual, expected] = [ours, theirs].map((f) => tf.variableGrads(() => f(x), [filter]))
        expectClose(actual!.value, expected!.value)
        expectClose(actual!.grads[filter.name]!, expected!.grads[filter.name]!)
        for (const weight of layer.weights) weight.dispose()
      })
    },
  )

  it('computes no gradient to the filter for that to the image, and none to the image for that to the filter', () =>
    expectNoTensorLeak(async () => {
      const { layer, filter } = layerOf()
      const x = image()
      const toImage = await kernelsOf(() => tf.grad((v) => loss(layer.apply(v)))(x))
      const toFilter = await kernelsOf(() => {
        const { value, grads } = tf.variableGrads(() => loss(layer.apply(x)), [filter])
        return [value, grads[filter.name]!]
      })
      expect(toImage).toContain('Conv2DBackpropInput')
      expect(toImage).not.toContain('Conv2DBackpropFilter')
      expect(toFilter).toContain('Conv2DBackpropFilter')
      expect(toFilter).not.toContain('Conv2DBackpropInput')
      x.dispose()
      for (const weight of layer.weights) weight.dispose()
    }))

  it('is the fused op outside of gradients, and with a bias', async () => {
    const x = image()
    for (const useBias of [false, true]) {
      const { layer } = layerOf({ useBias })
      expect(await kernelsOf(() => layer.apply(x) as tf.Tensor)).toContain('FusedConv2D')
      const names = await kernelsOf(() => tf.grad((v) => loss(layer.apply(v)))(x))
      expect(names.includes('FusedConv2D')).toBe(useBias)
      for (const weight of layer.weights) weight.dispose()
    }
    x.dispose()
  })

  it('is the fused op where tfjs is wanted as it came', async () => {
    const { layer } = layerOf()
    const x = image()
    const gradient = () => tf.grad((v) => loss(layer.apply(v)))(x)
    expect(await kernelsOf(() => withoutFusion(gradient))).toContain('FusedConv2D')
    expect(await kernelsOf(gradient)).not.toContain('FusedConv2D')
    x.dispose()
    for (const weight of layer.weights) weight.dispose()
  })
})
