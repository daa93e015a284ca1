/**
 * Whole AdvProp steps against a reference written by hand in double precision: loops over numbers, and gradients by
 * central differences, so that it shares no line and no derivation with what it checks.
 */
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { defaultStep } from '@tfgraft/core'
import { describeBackends, expectClose } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { advprop } from './advprop'

const [BATCH, SIDE, CHANNELS, FILTERS, CLASSES] = [4, 5, 2, 3, 3]
const EPSILON = 1e-3
const LEARNING_RATE = 0.5
const ATTACK = { epsilon: 8 / 255, stepSize: 4 / 255, iterations: 2, randomStart: false }

/** Numbers that look random, the same in every run, exact in float32. */
const numbers = (count: number, seed: number, low: number, high: number) =>
  Array.from({ length: count }, (_, i) =>
    Math.fround(low + (high - low) * ((Math.sin(12.9898 * i + 78.233 * seed) * 43758.5453) % 1) ** 2),
  )

interface Parameters {
  kernel: number[] // [3, 3, CHANNELS, FILTERS]
  gamma: number[]
  beta: number[]
  auxiliaryGamma: number[]
  auxiliaryBeta: number[]
  dense: number[] // [FILTERS, CLASSES]
  bias: number[]
}
interface Statistics {
  mean: number[]
  variance: number[]
}

const initial = (): Parameters => ({
  kernel: numbers(9 * CHANNELS * FILTERS, 1, -0.6, 0.9),
  gamma: numbers(FILTERS, 2, 0.7, 1.3),
  beta: numbers(FILTERS, 3, -0.2, 0.4),
  auxiliaryGamma: numbers(FILTERS, 2, 0.7, 1.3),
  auxiliaryBeta: numbers(FILTERS, 3, -0.2, 0.4),
  dense: numbers(FILTERS * CLASSES, 6, -1, 1.5),
  bias: numbers(CLASSES, 7, -0.3, 0.3),
})
/** Where both branches start: as of the model before AdvProp. */
const running = (): Statistics => ({
  mean: numbers(FILTERS, 8, -0.5, 0.5),
  variance: numbers(FILTERS, 9, 0.5, 1.5),
})
const images = numbers(BATCH * SIDE * SIDE * CHANNELS, 10, 0, 1)
const labels = [0, 2, 1, 2]

/** A 3 x 3 convolution without padding: [batch, SIDE - 2, SIDE - 2, FILTERS]. */
function convolve(x: number[], kernel: number[]): number[] {
  const out = SIDE - 2
  const result: number[] = []
  for (let n = 0; n < BATCH; n++)
    for (let y = 0; y < out; y++)
      for (let u = 0; u < out; u++)
        for (let f = 0; f < FILTERS; f++) {
          let sum = 0
          for (let i = 0; i < 3; i++)
            for (let j = 0; j < 3; j++)
              for (let c = 0; c < CHANNELS; c++)
                sum +=
                  x[((n * SIDE + y + i) * SIDE + u + j) * CHANNELS + c]! *
                  kernel[((i * 3 + j) * CHANNELS + c) * FILTERS + f]!
          result.push(sum)
        }
  return result
}

function statisticsOf(h: number[]): Statistics {
  const count = h.length / FILTERS
  const mean = Array.from(
    { length: FILTERS },
    (_, f) => h.reduce((s, v, i) => s + (i % FILTERS === f ? v : 0), 0) / count,
  )
  const variance = mean.map(
    (m, f) => h.reduce((s, v, i) => s + (i % FILTERS === f ? (v - m) ** 2 : 0), 0) / count,
  )
  return { mean, variance }
}

/** Mean cross entropy of the network; normalised by `fixed` statistics, or by those of the batch. */
function loss(x: number[], p: Parameters, branch: 'main' | 'auxiliary', fixed?: Statistics): number {
  const h = convolve(x, p.kernel)
  const { mean, variance } = fixed ?? statisticsOf(h)
  const [gamma, beta] = branch === 'main' ? [p.gamma, p.beta] : [p.auxiliaryGamma, p.auxiliaryBeta]
  const perImage = h.length / BATCH
  let total = 0
  for (let n = 0; n < BATCH; n++) {
    const pooled = Array(FILTERS).fill(0)
    for (let i = 0; i < perImage; i++) {
      const f = i % FILTERS
      const value =
        ((h[n * perImage + i]! - mean[f]!) / Math.sqrt(variance[f]! + EPSILON)) * gamma[f]! + beta[f]!
      pooled[f] += Math.max(value, 0) / (perImage / FILTERS)
    }
    const z = p.bias.map((b, k) => b + pooled.reduce((s, v, f) => s + v * p.dense[f * CLASSES + k]!, 0))
    total += Math.log(z.reduce((s, v) => s + Math.exp(v), 0)) - z[labels[n]!]!
  }
  return total / BATCH
}

/** The gradient of `f` at `values`, by central differences. */
const gradient = (values: number[], f: (values: number[]) => number) =>
  values.map((_, i) => {
    const at = (h: number) => f(values.map((v, j) => (j === i ? v + h : v)))
    return (at(1e-6) - at(-1e-6)) / 2e-6
  })

interface Expected {
  loss: number
  parameters: Parameters
  main: Statistics
  auxiliary: Statistics
}

/** METHODS: attack in inference mode, (1 - w) L(x, main) + w L(x_adv, auxiliary), SGD, unbiased running variances. */
function step(mode: 'separate' | 'shared', through: 'main' | 'auxiliary', rate: number, w: number): Expected {
  const p = initial()
  let adversarial = images
  for (let t = 0; t < ATTACK.iterations; t++) {
    const g = gradient(adversarial, (x) => loss(x, p, mode === 'shared' ? 'main' : through, running()))
    adversarial = adversarial.map((v, i) => {
      const moved = v + ATTACK.stepSize * (Math.abs(g[i]!) < 1e-9 ? 0 : Math.sign(g[i]!))
      const [low, high] = [Math.max(images[i]! - ATTACK.epsilon, 0), Math.min(images[i]! + ATTACK.epsilon, 1)]
      return Math.min(Math.max(moved, low), high)
    })
  }
  const total = (q: Parameters) =>
    (1 - w) * loss(images, q, 'main') + w * loss(adversarial, q, mode === 'shared' ? 'main' : 'auxiliary')
  const after = { ...p }
  for (const key of Object.keys(p) as (keyof Parameters)[]) {
    const g = gradient(p[key], (values) => total({ ...p, [key]: values }))
    after[key] = p[key].map((v, i) => v - LEARNING_RATE * g[i]!)
  }
  const moved = (x: number[]): Statistics => {
    const h = convolve(x, p.kernel)
    const [batch, count, before] = [statisticsOf(h), h.length / FILTERS, running()]
    return {
      mean: batch.mean.map((m, f) => before.mean[f]! + rate * (m - before.mean[f]!)),
      variance: batch.variance.map(
        (v, f) => before.variance[f]! + rate * ((v * count) / (count - 1) - before.variance[f]!),
      ),
    }
  }
  return { loss: total(p), parameters: after, main: moved(images), auxiliary: moved(adversarial) }
}

function setup() {
  const { layers } = tfl
  const model = tfl.sequential({
    layers: [
      layers.conv2d({
        filters: FILTERS,
        kernelSize: 3,
        useBias: false,
        inputShape: [SIDE, SIDE, CHANNELS],
        name: 'conv',
      }),
      layers.batchNormalization({ momentum: 0.9, epsilon: EPSILON, name: 'bn' }),
      layers.reLU(),
      layers.globalAveragePooling2d({}),
      layers.dense({ units: CLASSES, activation: 'softmax', name: 'head' }),
    ],
  })
  const p = initial()
  const { mean, variance } = running()
  model.getLayer('conv').setWeights([tf.tensor(p.kernel, [3, 3, CHANNELS, FILTERS])])
  model.getLayer('bn').setWeights([p.gamma, p.beta, mean, variance].map((v) => tf.tensor1d(v)))
  model.getLayer('head').setWeights([tf.tensor(p.dense, [FILTERS, CLASSES]), tf.tensor1d(p.bias)])
  const optimizer = tf.train.sgd(LEARNING_RATE)
  return { model, optimizer, loss: tfl.metrics.categoricalCrossentropy, step: defaultStep }
}

const cases = (['separate', 'shared'] as const).flatMap((mode) =>
  (['auxiliary', 'main'] as const).flatMap((through) =>
    ([0.9, null] as const).map((momentum) => ({ mode, through, momentum })),
  ),
)

describeBackends('one AdvProp step', () => {
  it.each(cases)(
    'has the numbers of double precision: $mode affine, attack through $through statistics, momentum $momentum',
    ({ mode, through, momentum }) => {
      const weight = mode === 'separate' ? 0.25 : 0.4
      // The first batch of a cumulative average replaces what was there.
      const expected = step(mode, through, momentum === null ? 1 : 1 - momentum, weight)
      const method = advprop({
        attack: ATTACK,
        auxiliary: mode,
        attackStatistics: through,
        momentum,
        adversarialWeight: weight,
      })
      const trained = method.apply(setup())
      const xs = tf.tensor4d(images, [BATCH, SIDE, SIDE, CHANNELS])
      const ys = tf.cast(tf.oneHot(tf.tensor1d(labels, 'int32'), CLASSES), 'float32')
      const { loss: total } = trained.step(trained, { xs, ys }, { epoch: 0, step: 0, seed: 1 })
      expectClose(total, [expected.loss], { rtol: 1e-5 })
      const value = (name: string) => trained.model.weights.find((w) => w.originalName === name)!.read()
      const { parameters: p, main, auxiliary } = expected
      const close = (name: string, data: number[]) => {
        const actual = value(name)
        expectClose(actual, { shape: actual.shape, data }, { rtol: 1e-4, atol: 1e-5 })
      }
      close('conv/kernel', p.kernel)
      close('head/kernel', p.dense)
      close('head/bias', p.bias)
      close('bn/gamma', p.gamma)
      close('bn/beta', p.beta)
      close('bn/moving_mean', main.mean)
      close('bn/moving_variance', main.variance)
      close('bn/auxiliary_1_moving_mean', auxiliary.mean)
      close('bn/auxiliary_1_moving_variance', auxiliary.variance)
      const names = trained.model.weights.map((w) => w.originalName)
      expect(names.includes('bn/auxiliary_1_gamma')).toBe(mode === 'separate')
      if (mode === 'separate') {
        close('bn/auxiliary_1_gamma', p.auxiliaryGamma)
        close('bn/auxiliary_1_beta', p.auxiliaryBeta)
      }
    },
  )
})
