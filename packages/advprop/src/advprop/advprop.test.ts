import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { compose, defaultStep, type LossFunction, type TrainingSetup, type TrainStep } from '@tfgraft/core'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { pgd } from '../attacks/pgd'
import { dropAuxiliary } from '../batch-normalization/drop-auxiliary'
import { SplitBatchNormalization } from '../batch-normalization/split-batch-normalization'
import { sparseTopK } from '../sparse-top-k/method'
import { rowCounts } from './adversarial-step'
import { advprop } from './advprop'
import { equalBudgetPart, resolveOptions } from './options'

const crossEntropy: LossFunction = (y, p) => tfl.metrics.categoricalCrossentropy(y, p)
const context = { epoch: 0, step: 0, seed: 3 }
const weights = (units: number, inputs: number, seed: number) =>
  tf.randomNormal([inputs, units], 0, 0.4, 'float32', seed)

/** Flatten, dense, batch normalisation, ReLU, dense with softmax; 4 x 4 images, 3 classes. */
function setupOf({
  batchNorm = true,
  l2 = 0,
  step = defaultStep,
}: {
  batchNorm?: boolean
  l2?: number
  step?: TrainStep
} = {}) {
  const regularizer = l2 ? tfl.regularizers.l2({ l2 }) : undefined
  const model = tfl.sequential({
    layers: [
      tfl.layers.flatten({ inputShape: [4, 4, 1] }),
      tfl.layers.dense({ units: 6, useBias: false, name: 'hidden', kernelRegularizer: regularizer }),
      ...(batchNorm ? [tfl.layers.batchNormalization({ momentum: 0.9, epsilon: 1e-3, name: 'bn' })] : []),
      tfl.layers.reLU(),
      tfl.layers.dense({ units: 3, activation: 'softmax', name: 'output' }),
    ],
  })
  model.getLayer('hidden').setWeights([weights(6, 16, 1)])
  model.getLayer('output').setWeights([weights(3, 6, 2), tf.tensor1d([0.1, -0.2, 0])])
  const setup: TrainingSetup = { model, optimizer: tf.train.sgd(0.5), loss: crossEntropy, step }
  return setup
}

const batch = {
  xs: () => tf.randomUniform([6, 4, 4, 1], 0, 1, 'float32', 5) as tf.Tensor4D,
  ys: () => tf.cast(tf.oneHot(tf.tensor1d([0, 1, 2, 0, 1, 2], 'int32'), 3), 'float32'),
}

const named = (model: tfl.LayersModel) => new Map(model.weights.map((w) => [w.originalName, w.read()]))

/** One step by hand: plain tf ops on raw weights, running statistics included. */
function stepByHand(x: tf.Tensor, adversarial: tf.Tensor, y: tf.Tensor, shared: boolean, w: number) {
  const variables = {
    hidden: tf.variable(weights(6, 16, 1)),
    output: tf.variable(weights(3, 6, 2)),
    bias: tf.variable(tf.tensor1d([0.1, -0.2, 0])),
    gamma: tf.variable(tf.ones([6])),
    beta: tf.variable(tf.zeros([6])),
    gammaAux: tf.variable(tf.ones([6])),
    betaAux: tf.variable(tf.zeros([6])),
  }
  const statistics: { mean: tf.Tensor; variance: tf.Tensor }[] = []
  const loss = (images: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) => {
    const h = tf.matMul(tf.reshape(images, [-1, 16]), variables.hidden as tf.Tensor2D)
    const { mean, variance } = tf.moments(h, 0)
    statistics.push({ mean: tf.keep(mean), variance: tf.keep(variance) })
    const n = tf.add(tf.mul(tf.div(tf.sub(h, mean), tf.sqrt(tf.add(variance, 1e-3))), gamma), beta)
    const z = tf.add(tf.matMul(tf.relu(n) as tf.Tensor2D, variables.output as tf.Tensor2D), variables.bias)
    return tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(z), y), 1)))
  }
  const { value, grads } = tf.variableGrads(() => {
    const clean = loss(x, variables.gamma, variables.beta)
    const attacked = shared
      ? loss(adversarial, variables.gamma, variables.beta)
      : loss(adversarial, variables.gammaAux, variables.betaAux)
    return tf.add(tf.mul(clean, 1 - w), tf.mul(attacked, w)) as tf.Scalar
  })
  const after = Object.fromEntries(
    Object.entries(variables).map(([key, v]) => [
      key,
      grads[v.name] ? tf.sub(v, tf.mul(grads[v.name]!, 0.5)) : tf.clone(v),
    ]),
  )
  tf.dispose(Object.values(variables) as tf.Tensor[])
  return { value, after, statistics }
}

describeBackends('advprop', () => {
  it.each([
    ['separate', 'auxiliary'],
    ['shared', 'main'],
  ] as const)(
    'one step is the written-out one: %s affine, attack through %s statistics',
    (auxiliary, attackStatistics) => {
      const [x, y] = [batch.xs(), batch.ys()]
      const attack = { epsilon: 4 / 255, stepSize: 2 / 255, iterations: 1, randomStart: false }
      const setup = advprop({ attack, auxiliary, attackStatistics, adversarialWeight: 0.25 }).apply(setupOf())
      // All statistics are fresh, so the attack is that on the plain model.
      const adversarial = pgd(setupOf().model, x, y, attack)
      const expected = stepByHand(x, adversarial, y, auxiliary === 'shared', 0.25)
      const { loss, predictions } = setup.step(setup, { xs: x, ys: y }, context)
      expectClose(loss, expected.value)
      expect(predictions[0]!.shape).toEqual([6, 3])
      const w = named(setup.model)
      expectClose(w.get('hidden/kernel')!, expected.after.hidden!)
      expectClose(w.get('output/kernel')!, expected.after.output!)
      expectClose(w.get('output/bias')!, expected.after.bias!)
      expectClose(w.get('bn/gamma')!, expected.after.gamma!)
      expectClose(w.get('bn/beta')!, expected.after.beta!)
      expect(w.has('bn/auxiliary_1_gamma')).toBe(auxiliary === 'separate')
      if (auxiliary === 'separate') expectClose(w.get('bn/auxiliary_1_gamma')!, expected.after.gammaAux!)
      for (const [i, prefix] of ['', 'auxiliary_1_'].entries()) {
        const { mean, variance } = expected.statistics[i]!
        expectClose(w.get(`bn/${prefix}moving_mean`)!, tf.mul(mean, 0.1))
        expectClose(w.get(`bn/${prefix}moving_variance`)!, tf.add(0.9, tf.mul(variance, (0.1 * 6) / 5)))
      }
    },
  )

  it('weight 0 trains exactly as the plain step does', () => {
    const xy = { xs: batch.xs(), ys: batch.ys() }
    const plain = setupOf({ l2: 0.1 })
    const setup = advprop({ adversarialWeight: 0, unbiasedVariance: false }).apply(setupOf({ l2: 0.1 }))
    for (let step = 0; step < 3; step++) {
      const [a, b] = [setup.step(setup, xy, context), plain.step(plain, xy, context)]
      expectClose(a.loss, b.loss)
      expectClose(a.predictions[0]!, b.predictions[0]!)
    }
    expectClose(
      dropAuxiliary(setup.model).predict(xy.xs) as tf.Tensor,
      plain.model.predict(xy.xs) as tf.Tensor,
    )
  })

  it('the model it leaves has the layers and weight names of the one it got', () => {
    const before = setupOf()
    const setup = advprop().apply(before)
    expect(setup.model.layers.some((l) => l instanceof SplitBatchNormalization)).toBe(true)
    const ordinary = dropAuxiliary(setup.model)
    expect(ordinary.weights.map((w) => w.originalName)).toEqual(
      before.model.weights.map((w) => w.originalName),
    )
    expect(ordinary.layers.map((l) => l.getClassName())).toEqual(
      before.model.layers.map((l) => l.getClassName()),
    )
    const x = batch.xs()
    expectClose(ordinary.predict(x) as tf.Tensor, before.model.predict(x) as tf.Tensor)
  })

  it('several attacks have an auxiliary each, a fraction attacks fewer rows, functions are attacks too', () => {
    const seen: number[] = []
    const attack = [
      { epsilon: 1 / 255, iterations: 1 },
      (_: unknown, images: tf.Tensor) => {
        seen.push(images.shape[0]!)
        return tf.clipByValue(tf.add(images, 0.1), 0, 1)
      },
    ]
    const setup = advprop({ attack, adversarialFraction: 0.5 }).apply(setupOf())
    const { loss } = setup.step(setup, { xs: batch.xs(), ys: batch.ys() }, context)
    expect(seen).toEqual([3])
    expect(Number.isFinite(loss.dataSync()[0])).toBe(true)
    const w = named(setup.model)
    for (const i of [1, 2])
      expect(tf.max(tf.abs(w.get(`bn/auxiliary_${i}_moving_mean`)!)).dataSync()[0]).toBeGreaterThan(0)
  })

  it('the adversarial loss can be another', () => {
    const zero: LossFunction = (_, p) => tf.mul(tf.sum(p, 1), 0)
    const xy = { xs: batch.xs(), ys: batch.ys() }
    const losses = [undefined, zero].map((adversarialLoss) => {
      const setup = advprop({ adversarialLoss, adversarialWeight: 0.5 }).apply(setupOf())
      return setup.step(setup, xy, context).loss.dataSync()[0]!
    })
    const plain = setupOf()
    const clean = plain.step(plain, xy, context).loss.dataSync()[0]!
    expectClose([losses[1]!], [clean / 2])
    expect(losses[0]).toBeGreaterThan(losses[1]!)
  })

  it('gradient reuse attacks along the clean pass’s input gradient and sums both gradients', () => {
    const [x, y] = [batch.xs(), batch.ys()]
    const attack = { epsilon: 4 / 255, stepSize: 4 / 255, iterations: 1, randomStart: false }
    const options = { attack, gradientReuse: true, adversarialFraction: 1, adversarialWeight: 0.25 }
    const setup = advprop(options).apply(setupOf())
    // The attack by hand: a step along the gradient of the training-mode loss.
    const model = setupOf().model
    const gradient = tf.grad((t) =>
      tf.mean(crossEntropy(y, model.apply(t, { training: true }) as tf.Tensor)),
    )(x)
    const adversarial = tf.clipByValue(tf.add(x, tf.mul(tf.sign(gradient), 4 / 255)), 0, 1)
    const expected = stepByHand(x, adversarial, y, false, 0.25)
    const { loss } = setup.step(setup, { xs: x, ys: y }, context)
    expectClose(loss, expected.value)
    const w = named(setup.model)
    expectClose(w.get('hidden/kernel')!, expected.after.hidden!)
    expectClose(w.get('bn/gamma')!, expected.after.gamma!)
    expectClose(w.get('bn/auxiliary_1_gamma')!, expected.after.gammaAux!)
    expectClose(w.get('bn/auxiliary_1_moving_mean')!, tf.mul(expected.statistics[1]!.mean, 0.1))
  })

  it('attacks every fifth image by default where the gradient is reused, as the authors of Fast AdvProp do', () => {
    const attack = { epsilon: 0.1, iterations: 1 }
    expect(rowCounts(65, resolveOptions({ attack, gradientReuse: true }))).toEqual({
      clean: 65,
      adversarial: 13,
    })
    expect(rowCounts(65, resolveOptions({ attack }))).toEqual({ clean: 65, adversarial: 65 })
  })

  it('an equal budget trains on fewer rows and predicts all', () => {
    expect(equalBudgetPart([{ iterations: 1 }], 1, false)).toBeCloseTo(2 / 7)
    expect(equalBudgetPart([{ iterations: 1 }], 0.25, true)).toBeCloseTo(2 / 2.75)
    for (const gradientReuse of [false, true]) {
      const setup = advprop({ equalBudget: true, gradientReuse }).apply(setupOf())
      const { predictions } = setup.step(setup, { xs: batch.xs(), ys: batch.ys() }, context)
      expectClose(tf.sum(predictions[0]!, 1), [1, 1, 1, 1, 1, 1])
    }
  })

  it('wraps the step and the layers of other methods', () => {
    let rows = 0
    const counting: TrainStep = (setup, xy, ctx) => {
      rows = (xy.xs as tf.Tensor).shape[0]!
      return defaultStep(setup, xy, ctx)
    }
    const method = compose(sparseTopK({ k: 0.5, after: 'hidden' }), advprop())
    const setup = method.apply(setupOf({ step: counting }))
    setup.step(setup, { xs: batch.xs(), ys: batch.ys() }, context)
    expect(rows).toBe(12)
    expect(() => advprop({ gradientReuse: true }).apply(setupOf({ step: counting }))).toThrow(
      'must be the default one',
    )
  })

  it('leaves no tensor behind', async () => {
    for (const options of [
      {},
      { gradientReuse: true },
      { equalBudget: true },
      { auxiliary: 'none' as const },
    ]) {
      const setup = advprop(options).apply(setupOf())
      const xy = { xs: batch.xs(), ys: batch.ys() }
      const run = () => {
        const { loss, predictions } = setup.step(setup, xy, context)
        tf.dispose([loss, ...predictions])
      }
      run()
      await expectNoTensorLeak(run)
    }
  })

  it('models without batch normalisation need `auxiliary: none`', () => {
    expect(() => advprop().apply(setupOf({ batchNorm: false }))).toThrow(
      "advprop: the model must have BatchNormalization layers, or `auxiliary` must be 'none'. Received sequential",
    )
    const setup = advprop({ auxiliary: 'none' }).apply(setupOf({ batchNorm: false }))
    const { loss } = setup.step(setup, { xs: batch.xs(), ys: batch.ys() }, context)
    expect(Number.isFinite(loss.dataSync()[0])).toBe(true)
  })

  it('normalised inputs are attacked within their bounds', () => {
    const bounds = { min: -1, max: 3 }
    let extremes: number[] = []
    const spy: TrainStep = (setup, xy, ctx) => {
      const xs = xy.xs as tf.Tensor
      const moved = tf.max(tf.abs(tf.sub(tf.slice(xs, 6), tf.slice(xs, 0, 6))))
      extremes = [moved, tf.min(xs), tf.max(xs)].map((t) => t.dataSync()[0]!)
      return defaultStep(setup, xy, ctx)
    }
    const setup = advprop({ attack: { epsilon: 0.1, iterations: 3, bounds } }).apply(setupOf({ step: spy }))
    setup.step(setup, { xs: tf.sub(tf.mul(batch.xs(), 4), 1), ys: batch.ys() }, context)
    expectClose([extremes[0]!], [0.4])
    expect(extremes[1]).toBeGreaterThanOrEqual(-1)
    expect(extremes[2]).toBeLessThanOrEqual(3)
  })

  it('says what is wrong with its arguments', () => {
    expect(() => advprop({ adversarialWeight: 2 })).toThrow(
      'advprop: `adversarialWeight` must be in [0, 1]. Received adversarialWeight=2.',
    )
    expect(() => advprop({ adversarialFraction: 0 })).toThrow('`adversarialFraction` must be in (0, 1]')
    expect(() => advprop({ auxiliary: 'both' as 'none' })).toThrow('Received auxiliary=both.')
    expect(() => advprop({ attack: [] })).toThrow('`attack` must hold at least one attack')
    expect(() => advprop({ attack: { epsilon: 0.1, iterations: 2 }, gradientReuse: true })).toThrow(
      'iterations: 1',
    )
    expect(() => advprop({ attack: { epsilon: -1 } })).toThrow(
      'advprop: `epsilon` must be at least 0. Received epsilon=-1.',
    )
    expect(() => advprop({ attack: (_, x) => x, equalBudget: true })).toThrow('`equalBudget` needs')
  })
})
