import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { describe, expect, it } from 'vitest'
import { fit } from '../fit/fit'
import { defaultStep } from '../train-step'
import { type AdamWOptions, adamW } from './adam-w'
import { type ClippedOptimizer, clipByGlobalNorm } from './clip-by-global-norm'
import { scheduleLearningRate } from './learning-rate'
import { cosineDecay, linearWarmup, stepDecay } from './schedules'

/** `torch.optim.AdamW`, one variable, in float64 and in PyTorch's own order of operations. */
function reference(p: number[], gradients: number[][], { lr, b1, b2, eps, wd }: Record<string, number>) {
  const m = p.map(() => 0)
  const v = p.map(() => 0)
  return gradients.reduce((current, g, k) => {
    const t = k + 1
    return current.map((value, i) => {
      let next = value * (1 - lr! * wd!)
      m[i] = b1! * m[i]! + (1 - b1!) * g[i]!
      v[i] = b2! * v[i]! + (1 - b2!) * g[i]! ** 2
      const denominator = Math.sqrt(v[i]!) / Math.sqrt(1 - b2! ** t) + eps!
      next -= ((lr! / (1 - b1! ** t)) * m[i]!) / denominator
      return next
    })
  }, p)
}

const gradientsOf = (steps: number) =>
  Array.from({ length: steps }, (_, k) => [Math.sin(k + 1), 10 * Math.cos(3 * k), 1e-4 * (k - 2), 0])
const start = [0.5, -1.25, 3, 2]

let count = 0
const variable = (values: number[] = start, shape?: number[]) =>
  tf.variable(tf.tensor(values, shape), true, `optimizers-test-${count++}`)

function apply(optimizer: tf.Optimizer, target: tf.Variable, gradients: number[][]): void {
  for (const g of gradients)
    tf.tidy(() => optimizer.applyGradients({ [target.name]: tf.tensor(g, target.shape) }))
}

describeBackends('optimizers', (backend) => {
  it('AdamW takes its steps in one pass on wasm', async () => {
    const { kernels } = await tf.profile(() => {
      apply(adamW(), variable(), gradientsOf(1))
    })
    expect(kernels.some(({ name }) => name === 'backends/AdamStep')).toBe(backend === 'wasm')
    expect(kernels.some(({ name }) => name === 'Sqrt')).toBe(backend !== 'wasm')
  })

  it.each([
    [{}, { lr: 1e-3, b1: 0.9, b2: 0.999, eps: 1e-8, wd: 0.01 }],
    [
      { learningRate: 0.1, beta1: 0.8, beta2: 0.9, epsilon: 1e-3, weightDecay: 0.3 },
      { lr: 0.1, b1: 0.8, b2: 0.9, eps: 1e-3, wd: 0.3 },
    ],
    [
      { learningRate: 0.05, weightDecay: 0 },
      { lr: 0.05, b1: 0.9, b2: 0.999, eps: 1e-8, wd: 0 },
    ],
  ] as [AdamWOptions, Record<string, number>][])('AdamW takes the steps of PyTorch: %o', (options, torch) => {
    const w = variable()
    apply(adamW(options), w, gradientsOf(20))
    expectClose(w, reference(start, gradientsOf(20), torch), { rtol: 2e-6, atol: 1e-6 })
  })

  it('AdamW decays variables of rank 2 and more only, or those of a function, when asked', () => {
    const zero = [[0, 0, 0, 0]]
    const decayed = (decays: AdamWOptions['decays'], shape: number[]) => {
      const w = variable(start, shape)
      apply(adamW({ learningRate: 0.5, weightDecay: 0.5, decays }), w, zero)
      return w.dataSync()[0]! !== start[0]
    }
    expect([decayed('all', [4]), decayed('matrices', [4]), decayed('matrices', [2, 2])]).toEqual([
      true,
      false,
      true,
    ])
    expect(decayed((name, shape) => name.startsWith('optimizers') && shape[0] === 4, [4])).toBe(true)
    expect(decayed((name) => name.startsWith('other'), [4])).toBe(false)
  })

  it('AdamW starts the bias correction of a variable at its own first step', () => {
    const optimizer = adamW({ learningRate: 0.1 })
    const [early, late] = [variable(), variable()]
    apply(optimizer, early, gradientsOf(10))
    apply(optimizer, late, gradientsOf(1))
    const torch = { lr: 0.1, b1: 0.9, b2: 0.999, eps: 1e-8, wd: 0.01 }
    expectClose(late, reference(start, gradientsOf(1), torch), { rtol: 2e-6 })
  })

  it('AdamW follows a schedule of its own steps', () => {
    const w = variable([1])
    const optimizer = adamW({
      learningRate: stepDecay({ initial: 0.1, factor: 0.5, every: 1 }),
      weightDecay: 0,
    })
    const rates: number[] = []
    for (let i = 0; i < 3; i++) {
      rates.push(optimizer.rate)
      apply(optimizer, w, [[1]])
    }
    expect(rates).toEqual([0.1, 0.05, 0.025])
    expectClose(w, [1 - 0.175], { rtol: 1e-5 }) // constant gradients: each step is the rate
  })

  it('getWeights and setWeights carry the state of AdamW over, steps included', async () => {
    const [a, b] = [variable(), variable()]
    const [first, second] = [adamW({ learningRate: 0.1 }), adamW({ learningRate: 0.1 })]
    apply(first, a, gradientsOf(5))
    const weights = await first.getWeights()
    expect(weights.map(({ name }) => name)).toEqual(['iter', ...['m', 'v', 't'].map((s) => `${a.name}/${s}`)])
    await second.setWeights(
      weights.map(({ name, tensor }) => ({ name: name.replace(a.name, b.name), tensor })),
    )
    b.assign(a)
    apply(first, a, gradientsOf(3))
    apply(second, b, gradientsOf(3))
    expect(b.dataSync()).toEqual(a.dataSync())
    expect(second.iterations).toBe(8)
    await expect(second.setWeights(weights.slice(0, 2))).rejects.toThrow(
      'must receive what `getWeights` returned',
    )
  })

  it('AdamW keeps two slots per variable, leaks nothing, and frees them', async () => {
    const w = variable()
    const optimizer = adamW()
    await expectNoTensorLeak(() => apply(optimizer, w, gradientsOf(1)), 2)
    await expectNoTensorLeak(() => apply(optimizer, w, gradientsOf(3)))
    await expectNoTensorLeak(() => optimizer.dispose(), -2)
  })

  it('AdamW and a clipped AdamW work in model.compile, and are saved and loaded with the model', async () => {
    for (const make of [() => adamW({ learningRate: 0.05 }), () => clipByGlobalNorm(adamW(), 2)]) {
      const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [2] })] })
      model.compile({ optimizer: make(), loss: 'meanSquaredError' })
      const data = [tf.ones([4, 2]), tf.ones([4, 1])] as const
      await model.fit(...data, { epochs: 2, verbose: 0 })
      let saved: tf.io.ModelArtifacts
      await model.save(
        tf.io.withSaveHandler(async (artifacts) => {
          saved = artifacts
          return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
        }),
        { includeOptimizer: true },
      )
      const loaded = await tfl.loadLayersModel(tf.io.fromMemory(saved!))
      expect(loaded.optimizer.getConfig()).toEqual(model.optimizer.getConfig())
      expect(loaded.optimizer.iterations).toBe(2)
    }
  })

  it('clips the global norm of gradients and leaves smaller ones alone', async () => {
    const grads = { a: tf.tensor1d([3, 0]), b: tf.tensor2d([[0, 4]]) }
    const clipped = await expectNoTensorLeak(() => clipByGlobalNorm(grads, 1), 2)
    expectClose(clipped.a!, [0.6, 0], { rtol: 1e-5 })
    expectClose(clipped.b!, [0, 0.8], { rtol: 1e-5 })
    expectClose(clipByGlobalNorm(grads, 100).b!, [0, 4], { rtol: 1e-6 })
    expect(clipByGlobalNorm({}, 1)).toEqual({})
  })

  it('a clipped optimizer takes the step of the inner one with clipped gradients, and hands on all else', async () => {
    const w = variable([3, 4])
    const optimizer = clipByGlobalNorm(tf.train.sgd(1), 0.5)
    apply(optimizer, w, [[30, 40]])
    expectClose(w, [2.7, 3.6], { rtol: 1e-5 })
    expect(optimizer.iterations).toBe(optimizer.optimizer.iterations)
    optimizer.learningRate = 0.25
    expect(optimizer.learningRate).toBe(0.25)
    apply(optimizer, w, [[30, 40]])
    expectClose(w, [2.625, 3.5], { rtol: 1e-5 })
    expect((await optimizer.getWeights()).map(({ name }) => name)).toEqual(['iter'])
    const copy = (optimizer.constructor as typeof ClippedOptimizer).fromConfig(
      optimizer.constructor as typeof ClippedOptimizer,
      optimizer.getConfig(),
    )
    expect(copy.getConfig()).toEqual(optimizer.getConfig())
    const slots = clipByGlobalNorm(tf.train.momentum(1, 0.5), 1)
    await expectNoTensorLeak(() => apply(slots, w, [[1, 1]]), 1)
    await expectNoTensorLeak(() => apply(slots, w, [[1, 1]]))
  })

  it.each(['sgd', 'momentum', 'adam', 'rmsprop', 'adamW', 'clipped'] as const)(
    'a callback schedules the learning rate of %s, in fit and in model.fit',
    async (name) => {
      const make = () => {
        if (name === 'momentum') return tf.train.momentum(9, 0.9)
        if (name === 'adamW') return adamW({ learningRate: 9 })
        return name === 'clipped' ? clipByGlobalNorm(tf.train.sgd(9), 1) : tf.train[name](9)
      }
      const rates: number[] = []
      const spy = (optimizer: tf.Optimizer) => {
        const { applyGradients } = optimizer
        optimizer.applyGradients = (gradients) => {
          rates.push((optimizer as unknown as { learningRate: number }).learningRate)
          applyGradients.call(optimizer, gradients)
        }
        return optimizer
      }
      const newModel = () => tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [2] })] })
      const schedule = stepDecay({ initial: 0.5, factor: 0.5, every: 2 })
      const [xs, ys] = [tf.ones([4, 2]), tf.ones([4, 1])]
      const options = { epochs: 3, batchSize: 2 }
      const setup = {
        model: newModel(),
        optimizer: spy(make()),
        loss: tfl.metrics.meanSquaredError,
        step: defaultStep,
      }
      await fit(setup, { xs, ys }, { ...options, callbacks: scheduleLearningRate(schedule) })
      const model = newModel()
      model.compile({ optimizer: spy(make()), loss: 'meanSquaredError' })
      await model.fit(xs, ys, { ...options, verbose: 0, callbacks: scheduleLearningRate(schedule) })
      const expected = [0.5, 0.5, 0.25, 0.25, 0.125, 0.125]
      expectClose(rates, [...expected, ...expected])
      const last = setup.model.getWeights()[0]!.dataSync()
      expect(last.every((value) => Math.abs(value) < 20)).toBe(true) // a rate of 9 would have diverged
    },
  )

  it('the scheduled rate is the one that SGD steps by', async () => {
    const model = tfl.sequential({
      layers: [tfl.layers.dense({ units: 1, inputShape: [1], useBias: false, kernelInitializer: 'zeros' })],
    })
    const setup = { model, optimizer: tf.train.sgd(9), loss: tfl.metrics.meanSquaredError, step: defaultStep }
    const callbacks = scheduleLearningRate(() => 0.25) // gradient of (w - 1)^2 at 0 is -2
    await fit(setup, { xs: tf.ones([1, 1]), ys: tf.ones([1, 1]) }, { callbacks })
    expectClose(model.getWeights()[0]!, [0.5])
  })
})

describe('schedules', () => {
  it('follow their equations and compose', () => {
    const cosine = cosineDecay({ initial: 2, steps: 4, final: 1 })
    expectClose([0, 1, 2, 4, 9].map(cosine), [2, 1.5 + 0.5 * Math.SQRT1_2, 1.5, 1, 1])
    const warm = linearWarmup({ steps: 2, after: cosine })
    expectClose([0, 1, 2, 4, 6].map(warm), [0, 1, 2, 1.5, 1])
    expectClose([0, 1, 4, 9].map(linearWarmup({ steps: 4, after: 1, from: 0.2 })), [0.2, 0.4, 1, 1])
    expectClose([0, 2, 3, 6].map(stepDecay({ initial: 8, factor: 0.5, every: 3 })), [8, 8, 4, 2])
  })
})

it('bad hyperparameters name the value', () => {
  const cases: [() => unknown, string][] = [
    [() => adamW({ learningRate: -1 }), 'Received learningRate=-1'],
    [() => adamW({ beta1: 1 }), 'Received beta1=1'],
    [() => adamW({ beta2: Number.NaN }), 'Received beta2=NaN'],
    [() => adamW({ epsilon: -1 }), 'Received epsilon=-1'],
    [() => adamW({ weightDecay: -0.1 }), 'Received weightDecay=-0.1'],
    [() => adamW({ decays: 'some' as 'all' }), 'Received decays=some'],
    [() => adamW({ learningRate: () => 1 }).getConfig(), 'cannot be written into a config'],
    [() => clipByGlobalNorm(adamW(), 0), 'Received maxNorm=0'],
    [() => clipByGlobalNorm({}, -1), 'Received maxNorm=-1'],
    [() => cosineDecay({ initial: 1, steps: 0 }), 'Received steps=0'],
    [() => linearWarmup({ steps: 1, after: -1 }), 'Received after=-1'],
    [() => stepDecay({ initial: 1, factor: 0, every: 1 }), 'Received factor=0'],
  ]
  for (const [body, message] of cases) expect(body).toThrow(message)
})
