import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose, expectLayerContract } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { observe } from './observe'
import type { Solver } from './options'
import { proxDense } from './prox-dense'
import { proximalStep } from './proximal-step'

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
  readFileSync(new URL('../fixtures/proxprop_linear_bias.json', import.meta.url), 'utf8'),
)
const tensor = ({ data, shape }: Values) => tf.tensor(data, shape)

const solverOf = (mode: string): Solver =>
  mode === 'gradient'
    ? 'gradient'
    : mode === 'prox_exact'
      ? 'exact'
      : { cg: Number(mode.slice('prox_cg'.length)) }

/** Gradients of sum(layer(x) * upstream) with regard to x and the layer's weights. */
function gradients(layer: tfl.layers.Layer, x: tf.Tensor, upstream: tf.Tensor) {
  const loss = () => tf.sum(tf.mul(layer.apply(x) as tf.Tensor, upstream)) as tf.Scalar
  layer.apply(x)
  const variables = layer.trainableWeights.map((weight) => weight.read() as tf.Variable)
  const { grads } = tf.variableGrads(loss, variables)
  return variables.map(({ name }) => grads[name]!)
}

describeBackends('ProxDense', () => {
  it.each(golden.cases as GoldenCase[])('agrees with the reference: $mode at tau $tau_prox', (reference) => {
    tf.tidy(() => {
      const { units, useBias } = { units: golden.config.out_features, useBias: golden.config.bias }
      const layer = proxDense({ units, useBias, tau: reference.tau_prox, solver: solverOf(reference.mode) })
      const x = tensor(golden.inputs.x)
      layer.apply(x)
      layer.setWeights([tf.transpose(tensor(golden.params.weight)), tensor(golden.params.bias)])
      const g = tensor(golden.inputs.grad_output)
      const [kernel, bias] = gradients(layer, x, g)
      const { weight, bias: expectedBias } = reference.grad_params_true_cg ?? reference.grad_params
      expectClose(tf.transpose(kernel!), weight)
      expectClose(bias!, expectedBias)
      expectClose(layer.apply(x) as tf.Tensor, golden.outputs.out)
      const dx = tf.grad((given) => tf.sum(tf.mul(layer.apply(given) as tf.Tensor, g)) as tf.Scalar)(x)
      expectClose(dx, golden.outputs.grad_input)
      layer.dispose()
    })
  })

  it('keeps the layer contract', async () => {
    const shapes = { inputShape: [6, 5], outputShape: [6, 3], trainableWeights: 2, supportsMasking: true }
    await expectLayerContract({ ...shapes, create: () => proxDense({ units: 3, activation: 'tanh' }) })
    await expectLayerContract({
      ...shapes,
      nonTrainableWeights: 1,
      create: () => proxDense({ units: 3, tau: { trustRatio: 0.01 }, solver: { cg: 3, tolerance: 1e-3 } }),
    })
    await expectLayerContract({
      ...shapes,
      inputShape: [2, 4, 5],
      outputShape: [2, 4, 3],
      trainableWeights: 1,
      create: () => proxDense({ units: 3, useBias: false, kernelRegularizer: 'l1l2', bias: 'gradient' }),
    })
  })

  it('solves one joint problem over the rows of all its uses', () => {
    tf.tidy(() => {
      const layer = proxDense({ units: 4, tau: 0.7 })
      const [x1, x2] = [1, 2].map((seed) => tf.randomNormal([3, 4], 0, 1, 'float32', seed)) as [
        tf.Tensor,
        tf.Tensor,
      ]
      layer.apply(x1)
      const [kernel, bias] = layer.trainableWeights.map((weight) => weight.read() as tf.Variable)
      const use = (x: tf.Tensor) => layer.apply(x) as tf.Tensor
      // Both uses in sequence: the gradient of the first passes through the second.
      const { grads } = tf.variableGrads(() => tf.sum(tf.square(use(tf.add(use(x1), x2)))) as tf.Scalar)
      const h = tf.add(use(x1), x2)
      const g2 = tf.mul(use(h), 2)
      const g1 = tf.matMul(g2 as tf.Tensor2D, kernel as unknown as tf.Tensor2D, false, true)
      const joint = proximalStep(tf.concat([x1, h]) as tf.Tensor2D, tf.concat([g1, g2]) as tf.Tensor2D, {
        tau: 0.7,
      })
      expectClose(grads[kernel!.name]!, joint.kernel)
      expectClose(grads[bias!.name]!, joint.bias!)
      layer.dispose()
    })
  })

  it('treats every leading dimension of its input as rows', () => {
    tf.tidy(() => {
      const layer = proxDense({ units: 2, tau: 0.3 })
      const x = tf.randomNormal([2, 5, 3], 0, 1, 'float32', 3)
      layer.apply(x)
      const g = tf.randomNormal([2, 5, 2], 0, 1, 'float32', 4)
      const [kernel] = gradients(layer, x, g)
      const flat = proximalStep(
        tf.reshape(x, [10, 3]) as tf.Tensor2D,
        tf.reshape(g, [10, 2]) as tf.Tensor2D,
        {
          tau: 0.3,
        },
      )
      expectClose(kernel!, flat.kernel)
      layer.dispose()
    })
  })

  it('solves nothing when frozen, or when only the gradient to its input is wanted', () => {
    tf.tidy(() => {
      const layer = proxDense({ units: 2 })
      const x = tf.randomNormal([4, 3], 0, 1, 'float32', 5)
      layer.apply(x)
      const below = tf.variable(tf.ones([3]))
      const loss = () => tf.sum(layer.apply(tf.mul(x, below)) as tf.Tensor) as tf.Scalar
      let solves = 0
      observe({ watch: () => void solves++ })
      tf.variableGrads(loss)
      expect(solves).toBe(1)
      tf.variableGrads(loss, [below])
      expect(solves).toBe(1)
      layer.trainable = false
      tf.variableGrads(loss)
      expect(solves).toBe(1)
      observe(undefined)
      below.dispose()
      layer.dispose()
    })
  })

  it('leaves no use behind that a later backward pass would solve for', () => {
    tf.tidy(() => {
      const layer = proxDense({ units: 2, tau: 1 })
      const [x, other] = [6, 7].map((seed) => tf.randomNormal([4, 3], 0, 1, 'float32', seed)) as [
        tf.Tensor,
        tf.Tensor,
      ]
      layer.apply(x)
      const g = tf.ones([4, 2])
      const [expected] = gradients(layer, x, g)
      const [kernel] = layer.trainableWeights.map((weight) => weight.read() as tf.Variable)
      const attack = tf.grad((given) => tf.sum(layer.apply(given) as tf.Tensor))
      const { grads } = tf.variableGrads(() => {
        attack(other) // an inner gradient on the same tape, to the input only
        return tf.sum(layer.apply(x) as tf.Tensor) as tf.Scalar
      })
      expectClose(grads[kernel!.name]!, expected!)
      layer.dispose()
    })
  })

  it('moves a learned tau until the step has the wanted length', async () => {
    const layer = proxDense({ units: 8, inputShape: [6], tau: { trustRatio: 0.005, initial: 1e-4 } })
    const model = tfl.sequential({ layers: [layer] })
    model.compile({ optimizer: tf.train.sgd(1e-6), loss: 'meanSquaredError' })
    const x = tf.randomNormal([16, 6], 0, 1, 'float32', 8)
    const y = tf.randomNormal([16, 8], 0, 1, 'float32', 9)
    for (let i = 0; i < 40; i++) await model.trainOnBatch(x, y)
    tf.tidy(() => {
      const [kernel, bias] = layer.trainableWeights.map((weight) => weight.read() as tf.Variable)
      const { grads } = tf.variableGrads(
        () => tf.mean(tf.square(tf.sub(layer.apply(x) as tf.Tensor, y))) as tf.Scalar,
        [kernel!, bias!],
      )
      const norm = (...parts: tf.Tensor[]) => Math.hypot(...parts.flatMap((part) => [...part.dataSync()]))
      const step = norm(grads[kernel!.name]!, grads[bias!.name]!)
      expectClose([step / norm(kernel!, bias!)], [0.005], { rtol: 0.02 })
    })
    model.dispose()
    tf.dispose([x, y])
  })

  it('multiplies every step by its rate', () => {
    tf.tidy(() => {
      const x = tf.randomNormal([5, 3], 0, 1, 'float32', 1)
      const g = tf.randomNormal([5, 2], 0, 1, 'float32', 2)
      for (const solver of ['exact', { cg: 2 }, 'gradient'] as const) {
        const [once, scaled] = [1, 40].map((rate) => {
          const layer = proxDense({ units: 2, solver, rate })
          layer.apply(x)
          const steps = gradients(layer, x, g)
          layer.dispose()
          return steps
        })
        once!.forEach((step, i) => void expectClose(scaled![i]!, tf.mul(step, 40)))
      }
    })
    expect(() => proxDense({ units: 2, rate: 0 })).toThrow(
      'ProxDense: `rate` must be a finite number above 0. Received rate=0.',
    )
  })

  it('rejects options that break a rule', () => {
    expect(() => proxDense({ units: 2, tau: -1 })).toThrow(
      'ProxDense: `tau` must be a finite number above 0. Received tau=-1.',
    )
    expect(() => proxDense({ units: 2, solver: { cg: 0 } })).toThrow(
      'ProxDense: `cg` must be an integer of at least 1. Received cg=0.',
    )
    expect(() => proxDense({ units: 2, solver: 'newton' as 'exact' })).toThrow(
      "ProxDense: `solver` must be 'exact', 'gradient' or { cg: steps }. Received solver=newton.",
    )
    expect(() => proxDense({ units: 2, tau: { trustRatio: 0 } })).toThrow('Received trustRatio=0.')
    const layer = proxDense({ units: 2 })
    expect(() => {
      layer.tau = Number.NaN
    }).toThrow('Received tau=NaN.')
  })
})
