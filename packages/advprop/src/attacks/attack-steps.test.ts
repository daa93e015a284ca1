/** Attacks without a trained model: short enough for every backend, WebGPU on SwiftShader included. */
import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, expectClose, expectGradients, expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { type GoldenTensor, golden, nhwc, tensor } from '../golden'
import { attacks } from './cases'
import { crossEntropy, dlr, margin, targetedDlr } from './losses'
import { pgd } from './pgd'
import { squareAttack } from './square-attack'
import { oneHotLabels } from './target'

interface PgdGolden {
  config: { bn_eps: number }
  inputs: { x: GoldenTensor; labels: GoldenTensor; input_grad_first_iteration: GoldenTensor }
  params: Record<string, GoldenTensor>
  cases: {
    n_iters: number
    epsilon: number
    alpha: number
    x_adv: GoldenTensor
  }[]
}

/** The golden network as a function from NHWC images to logits, with its running statistics. */
function goldenNetwork({ params, config }: PgdGolden) {
  const kernel = (name: string) => tf.transpose(tensor(params[name]!), [2, 3, 1, 0]) as tf.Tensor4D
  const norm = (x: tf.Tensor4D, name: string) => {
    const [weight, bias, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((part) =>
      tensor(params[`${name}.${part}`]!),
    )
    const scale = tf.div(weight!, tf.sqrt(tf.add(variance!, config.bn_eps)))
    return tf.add(tf.mul(tf.sub(x, mean!), scale), bias!) as tf.Tensor4D
  }
  return (images: tf.Tensor): tf.Tensor => {
    const a = tf.relu(norm(tf.conv2d(images as tf.Tensor4D, kernel('conv1.weight'), 1, 1), 'bn1'))
    const b = tf.relu(norm(tf.conv2d(a, kernel('conv2.weight'), 2, 1), 'bn2'))
    const pooled = tf.mean(b, [1, 2]) as tf.Tensor2D
    return tf.add(
      tf.matMul(pooled, tensor(params['fc.weight']!) as tf.Tensor2D, false, true),
      tensor(params['fc.bias']!),
    )
  }
}

/** A linear classifier of 2 x 2 images: the worst image within a budget is known. */
const linear = (images: tf.Tensor) =>
  tf.matMul(tf.reshape(images, [-1, 4]) as tf.Tensor2D, [
    [2, -1, 0.5, -2],
    [-1, 2, -0.5, 1],
    [0.5, 1, 2, -1],
    [-1, -2, 1, 2],
  ])

describeBackends('attack steps', () => {
  it('pgd makes the reference implementation’s images, pixels without gradient included', () => {
    const g = golden<PgdGolden>('advprop_pgd')
    const network = goldenNetwork(g)
    const [x, labels] = [nhwc(g.inputs.x), tensor(g.inputs.labels, 'int32')]
    for (const { n_iters, epsilon, alpha, x_adv } of g.cases) {
      const options = { epsilon, stepSize: alpha, iterations: n_iters, randomStart: false }
      const adversarial = pgd(network, x, labels, options)
      expectClose(tf.transpose(adversarial, [0, 3, 1, 2]), x_adv, { rtol: 0, atol: 1e-5 })
    }
  })

  it('the losses have their published values and gradients', () => {
    const z = tf.tensor2d([
      [4, 1, 2, -1],
      [0.5, 3, 2.5, 1],
    ])
    const y = oneHotLabels(tf.tensor1d([0, 2], 'int32'), 4)
    const t = oneHotLabels(tf.tensor1d([1, 1], 'int32'), 4)
    expectClose(margin(z, y), [-2, 0.5])
    expectClose(dlr(z, y), [-(4 - 2) / (4 - 1), -(2.5 - 3) / (3 - 1)])
    expectClose(targetedDlr(z, y, t), [-(4 - 1) / (4 - 0), -(2.5 - 3) / (3 - 0.75)])
    expectClose(crossEntropy(z, y), [0.175515, 1.101005])
    for (const loss of [margin, dlr, crossEntropy])
      expectGradients((x) => loss(x as tf.Tensor2D, y), [z], { step: 1e-3 })
    expectGradients((x) => targetedDlr(x as tf.Tensor2D, y, t), [z], { step: 1e-3 })
    expect(() => dlr(tf.zeros([1, 2]), tf.zeros([1, 2]))).toThrow(
      'dlr: needs at least 3 classes. Received classes=2.',
    )
    expect(() => targetedDlr(tf.zeros([1, 3]), tf.zeros([1, 3]), tf.zeros([1, 3]))).toThrow(
      'targetedDlr: needs at least 4',
    )
  })

  const withQueries: typeof attacks = {
    ...attacks,
    // Random search starts anywhere in the ball: it needs some queries to get ahead of the clean image.
    squareAttack: { norm: 'linf', run: (t, x, y, o) => squareAttack(t, x, y, { ...o, queries: 60 }) },
  }
  it.each(Object.entries(withQueries))(
    '%s raises the margin of a linear classifier',
    async (_, { run, norm }) => {
      const images = tf.tensor4d([0.9, 0.1, 0.2, 0.2, 0.3, 0.4, 0.6, 0.5], [2, 2, 2, 1])
      const labels = tf.tensor1d([0, 2], 'int32')
      const epsilon = norm === 'l2' ? 0.2 : 0.1
      const adversarial = await expectNoTensorLeak(() => run(linear, images, labels, { epsilon, seed: 3 }), 1)
      const margins = (x: tf.Tensor) => [
        ...margin(linear(x) as tf.Tensor2D, oneHotLabels(labels, 4)).dataSync(),
      ]
      const [before, after] = [margins(images), margins(adversarial)]
      for (let i = 0; i < 2; i++) expect(after[i]).toBeGreaterThan(before[i]! + 0.01)
      const change = tf.reshape(tf.sub(adversarial, images), [2, 4])
      const size = norm === 'l2' ? tf.norm(change, 2, 1) : tf.max(tf.abs(change), 1)
      for (const reached of size.dataSync()) expect(reached).toBeLessThanOrEqual(epsilon + 1e-5)
    },
  )

  it('many steps reach the corner of the ball that is worst for a linear classifier', () => {
    const images = tf.fill([1, 2, 2, 1], 0.5)
    const two = (x: tf.Tensor) => tf.slice(linear(x), [0, 0], [-1, 2])
    const options = { epsilon: 0.1, iterations: 5, stepSize: 0.05 }
    const adversarial = pgd(two, images, tf.tensor1d([0], 'int32'), options)
    // Class 1 minus class 0 by pixel: -3, 3, 0.5, -1.
    expectClose(adversarial, [0.4, 0.6, 0.6, 0.4], { atol: 1e-6 })
  })
})
