import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import type { layers } from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose, expectLayerContract } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import type { Solver } from './options'
import { type Conv2DConfig, proxConv2d } from './prox-conv2d'

interface Values {
  shape: number[]
  data: number[]
}
interface GoldenCase {
  tau_prox: number
  mode: string
  grad_params: Record<'weight' | 'bias', Values>
  grad_params_true_cg?: Record<'weight' | 'bias', Values>
}
const golden = JSON.parse(
  readFileSync(new URL('../fixtures/proxprop_conv2d_bias.json', import.meta.url), 'utf8'),
)
/** PyTorch's layouts to ours: images NCHW to NHWC, kernels OIHW to HWIO. */
const image = ({ data, shape }: Values) => tf.transpose(tf.tensor(data, shape), [0, 2, 3, 1])
const kernelOf = ({ data, shape }: Values) => tf.transpose(tf.tensor(data, shape), [2, 3, 1, 0])

const solverOf = (mode: string): Solver =>
  mode === 'gradient'
    ? 'gradient'
    : mode === 'prox_exact'
      ? 'exact'
      : { cg: Number(mode.slice('prox_cg'.length)) }

/** Gradients of sum(layer(x) * upstream) with regard to x and the layer's weights. */
function gradients(layer: layers.Layer, x: tf.Tensor, upstream: (z: tf.Tensor) => tf.Tensor) {
  layer.apply(x)
  const loss = (given: tf.Tensor) => {
    const z = layer.apply(given) as tf.Tensor
    return tf.sum(tf.mul(z, upstream(z))) as tf.Scalar
  }
  const variables = layer.trainableWeights.map((weight) => weight.read() as tf.Variable)
  const { grads } = tf.variableGrads(() => loss(x), variables)
  return { weights: variables.map(({ name }) => grads[name]!), dx: tf.grad(loss)(x) }
}

const fixedUpstream = (z: tf.Tensor) => tf.randomNormal(z.shape, 0, 1, 'float32', 12)

const geometries: (Partial<Conv2DConfig> & { title: string })[] = [
  { title: 'same', padding: 'same' },
  { title: 'stride 2, same', strides: 2, padding: 'same' },
  { title: 'strides 2 and 3, valid', strides: [2, 3] },
  { title: 'dilation 2, valid', dilationRate: 2 },
  { title: 'dilation 2 and 1, same', dilationRate: [2, 1], padding: 'same' },
  { title: 'kernel 1', kernelSize: 1 },
  { title: 'kernel 2 by 3, no bias', kernelSize: [2, 3], padding: 'same', useBias: false },
]

describeBackends('ProxConv2D', () => {
  it.each(golden.cases as GoldenCase[])('agrees with the reference: $mode at tau $tau_prox', (reference) => {
    tf.tidy(() => {
      const layer = proxConv2d({
        filters: golden.config.O,
        kernelSize: golden.config.k,
        padding: 'same',
        tau: reference.tau_prox,
        solver: solverOf(reference.mode),
      })
      const x = image(golden.inputs.x)
      layer.apply(x)
      layer.setWeights([kernelOf(golden.params.weight), tf.tensor(golden.params.bias.data)])
      const { weights, dx } = gradients(layer, x, () => image(golden.inputs.grad_output))
      const { weight, bias } = reference.grad_params_true_cg ?? reference.grad_params
      expectClose(weights[0]!, kernelOf(weight))
      expectClose(weights[1]!, bias)
      expectClose(dx, image(golden.outputs.grad_input))
      expectClose(layer.apply(x) as tf.Tensor, image(golden.outputs.out))
      layer.dispose()
    })
  })

  it.each(geometries)(
    'solves by patches what CG solves by map and adjoint, or by a Gram matrix: $title',
    ({ title, ...geometry }) => {
      tf.tidy(() => {
        const config = {
          filters: 2,
          kernelSize: 3,
          tau: 0.005,
          kernelInitializer: 'ones',
          ...geometry,
        } as const
        const x = tf.randomNormal([2, 7, 8, 2], 0, 1, 'float32', 11)
        const exact = proxConv2d({ ...config, solver: 'exact' })
        // Few steps keep to the map, many make a Gram matrix cheaper; tau is small enough for few steps to converge.
        const byMap = proxConv2d({ ...config, solver: { cg: 5, tolerance: 1e-12 } })
        const byGram = proxConv2d({ ...config, solver: { cg: 60, tolerance: 1e-12 } })
        const expected = gradients(exact, x, fixedUpstream)
        for (const layer of [byMap, byGram]) {
          const actual = gradients(layer, x, fixedUpstream)
          expected.weights.forEach(
            (weight, i) => void expectClose(actual.weights[i]!, weight, { rtol: 1e-3, atol: 1e-4 }),
          )
          expectClose(actual.dx, expected.dx)
        }
        for (const layer of [exact, byMap, byGram]) layer.dispose()
      })
    },
  )

  it.each(geometries)('keeps the layer contract: $title', async ({ title, ...geometry }) => {
    const config = { filters: 2, kernelSize: 3, activation: 'relu', ...geometry } as const
    const layer = proxConv2d(config)
    const inputShape = [2, 7, 8, 3]
    await expectLayerContract({
      create: () => proxConv2d(config),
      inputShape,
      outputShape: layer.computeOutputShape(inputShape) as number[],
      trainableWeights: config.useBias === false ? 1 : 2,
    })
  })

  it('rejects channelsFirst images', () => {
    expect(() => proxConv2d({ filters: 1, kernelSize: 1, dataFormat: 'channelsFirst' })).toThrow(
      "ProxConv2D: `dataFormat` must be 'channelsLast'. Received dataFormat=channelsFirst.",
    )
  })
})
