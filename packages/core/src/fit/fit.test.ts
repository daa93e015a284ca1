import '@tensorflow/tfjs' // registers chained ops, which the orthogonal initializer of tfjs-layers needs
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { describe, expect, it } from 'vitest'
import { graftCases, randomizeWeights } from '../graft/graft-cases'
import type { TrainingSetup } from '../method'
import { defaultStep } from '../train-step'
import type { BatchDataset } from './batches'
import type { TrainingState } from './callbacks'
import { type FitOptions, fit } from './fit'

const { layers, metrics } = tfl
const losses = { mse: metrics.meanSquaredError, crossentropy: metrics.categoricalCrossentropy }

const setupOf = (model: tfl.LayersModel, optimizer: tf.Optimizer = tf.train.sgd(0.01)): TrainingSetup => ({
  model,
  optimizer,
  loss: losses.mse,
  step: defaultStep,
})

const linear = (seed = 5) => {
  const model = tfl.sequential({ layers: [layers.dense({ units: 1, inputShape: [3], name: 'out' })] })
  randomizeWeights(model, seed)
  return model
}

/** 10 examples, so that batches of 4 leave a smaller one. */
const linearData = () => ({
  xs: tf.randomNormal([10, 3], 0, 1, 'float32', 1),
  ys: tf.randomNormal([10, 1], 0, 1, 'float32', 2),
})

const asDataset = ({ xs, ys }: { xs: tf.Tensor; ys: tf.Tensor }, size: number): BatchDataset => ({
  size: Math.ceil(xs.shape[0]! / size),
  async iterator() {
    let start = 0
    return {
      async next() {
        const n = Math.min(size, xs.shape[0]! - start)
        if (n <= 0) return { value: null, done: true }
        const value = { xs: tf.slice(xs, start, n), ys: tf.slice(ys, start, n) }
        start += n
        return { value, done: false }
      },
    }
  },
})

const dropoutFree = graftCases.filter(({ title }) => title !== 'Sequential MLP')

describeBackends('fit', () => {
  describe('equals model.fit, epoch by epoch', () => {
    it.each(dropoutFree)('$title', async ({ build, inputs }) => {
      const [ours, theirs] = [build(), build()]
      theirs.setWeights(ours.getWeights())
      const xs = inputs().map((x) => tf.concat([x, x, x])) // some copies, so that there are several batches
      const ys = ours.outputs.map((output, i) =>
        tf.randomUniform([xs[0]!.shape[0]!, ...(output.shape.slice(1) as number[])], 0, 1, 'float32', 40 + i),
      )
      const options = { epochs: 3, batchSize: 4, shuffle: false }
      const { history } = await fit(
        setupOf(ours),
        { xs, ys },
        { ...options, metrics: { mae: metrics.meanAbsoluteError } },
      )
      theirs.compile({
        optimizer: tf.train.sgd(0.01),
        loss: 'meanSquaredError',
        metrics: [metrics.meanAbsoluteError],
      })
      const expected = (await theirs.fit(xs, ys, { ...options, verbose: 0 })).history
      expectClose(history.loss as number[], expected.loss as number[], { rtol: 1e-5, atol: 1e-5 })
      expect(Object.keys(history).length).toBe(Object.keys(expected).length)
      for (const [key, values] of Object.entries(expected))
        if (key.endsWith('_loss')) expectClose(history[key] as number[], values as number[], { rtol: 1e-5 })
      tf.tidy(() => {
        ours.getWeights().forEach((weight, i) => {
          expectClose(weight, theirs.getWeights()[i]!, { rtol: 1e-5, atol: 1e-5 })
        })
      })
    })

    it.each(['adam', 'momentum', 'rmsprop', 'adagrad', 'adadelta', 'adamax'] as const)(
      'with the optimizer %s, validation and accuracy',
      async (name) => {
        const optimizer = () => (name === 'momentum' ? tf.train.momentum(0.05, 0.9) : tf.train[name](0.05))
        const build = () => {
          const model = tfl.sequential({
            layers: [layers.dense({ units: 3, inputShape: [4], activation: 'softmax' })],
          })
          randomizeWeights(model)
          return model
        }
        const xs = tf.randomNormal([12, 4], 0, 1, 'float32', 4)
        const ys = tf.oneHot(tf.tensor1d([0, 1, 2, 0, 1, 2, 2, 1, 0, 0, 1, 2], 'int32'), 3)
        const options = { epochs: 3, batchSize: 5, shuffle: false, validationSplit: 0.25 }
        const setup = { ...setupOf(build(), optimizer()), loss: losses.crossentropy }
        const { history } = await fit(setup, { xs, ys }, { ...options, metrics: ['accuracy'] })
        const theirs = build()
        theirs.compile({ optimizer: optimizer(), loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
        const expected = (await theirs.fit(xs, ys, { ...options, verbose: 0 })).history
        expect(Object.keys(history).sort()).toEqual(Object.keys(expected).sort())
        for (const [key, values] of Object.entries(expected))
          expectClose(history[key] as number[], values as number[], { rtol: 1e-5, atol: 1e-5 })
      },
    )
  })

  it('a dataset gives the same losses as its tensors, also as named maps, and ends or repeats', async () => {
    const data = linearData()
    const run = async (source: Parameters<typeof fit>[1], options: FitOptions) =>
      (await fit(setupOf(linear()), source, { shuffle: false, ...options })).history.loss as number[]
    const expected = await run(data, { epochs: 2, batchSize: 4 })
    const dataset = asDataset(data, 4)
    expectClose(await run(dataset, { epochs: 2 }), expected, { rtol: 1e-6 })
    const named: BatchDataset = {
      async iterator() {
        const iterator = await dataset.iterator()
        return {
          async next() {
            const { value, done } = await iterator.next()
            const { xs, ys } = (value ?? {}) as { xs: tf.Tensor; ys: tf.Tensor }
            return { value: done ? null : { xs: { out_input: xs }, ys: { out: ys } }, done: done ?? false }
          },
        }
      },
    }
    expectClose(await run(named, { epochs: 2 }), expected, { rtol: 1e-6 })
    expect((await run(dataset, { epochs: 3, batchesPerEpoch: 2 })).length).toBe(3) // six of three batches: starts over
  })

  it('the same seed gives the same losses, dropout included; another seed gives others', async () => {
    const run = async (seed: number) => {
      const model = tfl.sequential({
        layers: [layers.dropout({ rate: 0.3, inputShape: [3] }), layers.dense({ units: 1 })],
      })
      randomizeWeights(model)
      return (await fit(setupOf(model), linearData(), { epochs: 4, batchSize: 4, seed })).history.loss
    }
    const first = await run(1)
    expect(await run(1)).toEqual(first)
    expect(await run(2)).not.toEqual(first)
  })

  it('each epoch sees every example once, in a new order', async () => {
    const seen: number[][] = []
    const setup: TrainingSetup = {
      ...setupOf(tfl.sequential({ layers: [layers.dense({ units: 1, inputShape: [1] })] })),
      step: (self, batch, context) => {
        seen[context.epoch] ??= []
        seen[context.epoch]!.push(...(batch.xs as tf.Tensor).dataSync())
        return defaultStep(self, batch, context)
      },
    }
    const xs = tf.range(0, 8)
    await fit(
      setup,
      { xs: tf.reshape(xs, [8, 1]), ys: tf.zeros([8, 1]) },
      { epochs: 2, batchSize: 3, seed: 1 },
    )
    for (const order of seen) expect([...order].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(seen[0]).not.toEqual(seen[1])
  })

  it('leaves no tensor behind: tensors, datasets, validation, callbacks, abort and errors', async () => {
    const setup = setupOf(linear())
    const data = linearData()
    const options = { epochs: 2, seed: 1, metrics: [metrics.meanAbsoluteError] }
    await expectNoTensorLeak(() => fit(setup, data, { ...options, batchSize: 4, validationSplit: 0.3 }))
    await expectNoTensorLeak(() => fit(setup, asDataset(data, 4), { ...options, validationData: data }))
    await expectNoTensorLeak(() => fit(setup, data, { ...options, callbacks: { onBatchEnd() {} } }))
    await expectNoTensorLeak(() =>
      fit(setup, data, { ...options, callbacks: new (class extends tfl.Callback {})() }),
    )
    const controller = new AbortController()
    const abort = { onBatchEnd: () => controller.abort() }
    await expectNoTensorLeak(() =>
      fit(setup, data, { batchSize: 4, callbacks: abort, signal: controller.signal }),
    )
    const broken = () => {
      throw new Error('broken metric')
    }
    await expectNoTensorLeak(() =>
      expect(fit(setup, data, { metrics: { broken } })).rejects.toThrow('broken metric'),
    )
  })

  it('runs callbacks with the hooks and logs of model.fit', async () => {
    const record = () => {
      const calls: unknown[] = []
      const hook =
        (name: string) =>
        (...args: unknown[]) => {
          const logs = args.at(-1) as object | undefined
          calls.push([name, typeof args[0] === 'number' ? args[0] : null, Object.keys(logs ?? {}).sort()])
        }
      const callbacks = {
        onTrainBegin: hook('train'),
        onEpochEnd: hook('epoch'),
        onBatchEnd: hook('batch'),
        onTrainEnd: hook('end'),
      }
      return { calls, callbacks }
    }
    const { xs, ys } = linearData()
    const options = {
      epochs: 2,
      batchSize: 4,
      validationData: [xs, ys] as [tf.Tensor, tf.Tensor],
      shuffle: false,
    }
    const [ours, theirs] = [record(), record()]
    await fit(setupOf(linear()), { xs, ys }, { ...options, callbacks: ours.callbacks })
    const model = linear()
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    await model.fit(xs, ys, { ...options, verbose: 0, callbacks: theirs.callbacks })
    expect(ours.calls).toEqual(theirs.calls)
  })

  it('reads no loss back between steps unless a callback asks for batch logs', async () => {
    const readsBeforeTheLastStep = async (callbacks: FitOptions['callbacks']) => {
      let [count, before] = [0, 0]
      const setup: TrainingSetup = {
        ...setupOf(linear()),
        step: (...args) => {
          before = count
          const output = defaultStep(...args)
          const { data } = output.loss
          output.loss.data = ((...a: []) => {
            count++
            return data.apply(output.loss, a)
          }) as typeof data
          return output
        },
      }
      await fit(setup, linearData(), { batchSize: 4, callbacks })
      expect(count).toBe(3) // once each, whoever asks
      return before
    }
    expect(await readsBeforeTheLastStep({ onEpochEnd() {} })).toBe(0)
    expect(await readsBeforeTheLastStep({ onBatchEnd() {} })).toBe(2)
  })

  it('logs the same means, bit for bit, whether or not batch logs are read, in epochs of hundreds of steps', async () => {
    const data = { xs: tf.randomNormal([301, 3], 0, 1, 'float32', 1), ys: tf.ones([301, 1]) }
    const run = async (callbacks: FitOptions['callbacks']) => {
      const options = { epochs: 2, batchSize: 2, seed: 3, metrics: { mae: metrics.meanAbsoluteError } }
      return (await fit(setupOf(linear()), data, { ...options, callbacks })).history
    }
    const read: number[] = []
    const onBatchEnd = (_: number, logs?: tfl.Logs) => {
      read.push(logs!.loss!)
    }
    const history = await run([])
    expect(await run({ onBatchEnd })).toEqual(history)
    expect(read.length).toBe(302)
    const mean = (losses: number[]) => losses.reduce((sum, x, i) => sum + x * (i === 150 ? 1 : 2), 0) / 301
    expect(history.loss).toEqual([mean(read.slice(0, 151)), mean(read.slice(151))])
  })

  it('EarlyStopping and `model.stopTraining` end training', async () => {
    const flat = setupOf(linear(), tf.train.sgd(1e-12))
    const stopping = tfl.callbacks.earlyStopping({ monitor: 'loss', patience: 1 })
    expect(
      (await fit(flat, linearData(), { epochs: 9, seed: 3, shuffle: false, callbacks: stopping })).epoch
        .length,
    ).toBeLessThan(9)
    const setup = setupOf(linear())
    const history = await fit(setup, linearData(), {
      epochs: 5,
      callbacks: {
        onEpochEnd(epoch: number) {
          setup.model.stopTraining = epoch === 1
        },
      },
    })
    expect(history.epoch).toEqual([0, 1])
  })

  it('an abort stops after the current batch and keeps the finished epochs', async () => {
    const controller = new AbortController()
    const ends: string[] = []
    let steps = 0
    const history = await fit(setupOf(linear()), linearData(), {
      epochs: 9,
      batchSize: 4,
      signal: controller.signal,
      callbacks: {
        onBatchEnd: () => void (++steps === 5 && controller.abort()),
        onEpochEnd: (epoch: number) => void ends.push(`epoch ${epoch}`),
        onTrainEnd: () => void ends.push('train'),
      },
    })
    expect(steps).toBe(5)
    expect(history.epoch).toEqual([0])
    expect(ends).toEqual(['epoch 0', 'train'])
    const again = await fit(setupOf(linear()), linearData(), { signal: controller.signal })
    expect(again.epoch).toEqual([])
  })

  it('gives callbacks the live training state, and continues where an earlier run ended', async () => {
    let state: TrainingState | undefined
    const seen: number[] = []
    const receiver = {
      setTrainingState: (live: TrainingState) => {
        state = live
      },
      onEpochEnd: () => void seen.push(state!.steps),
    }
    const setup = setupOf(linear())
    const history = await fit(setup, linearData(), {
      initialEpoch: 2,
      initialStep: 6,
      epochs: 4,
      batchSize: 4,
      seed: 9,
      callbacks: receiver,
    })
    expect(history.epoch).toEqual([2, 3])
    expect(seen).toEqual([9, 12])
    expect(state).toMatchObject({ setup, seed: 9, epochs: 4, steps: 12 })
  })

  it('yields to the event loop while it trains', async () => {
    let turns = 0
    let running = true
    const tick = () => {
      turns++
      if (running) setImmediate(tick)
    }
    setImmediate(tick)
    await fit(setupOf(linear()), linearData(), { epochs: 9, yieldEvery: 'batch' })
    running = false
    expect(turns).toBeGreaterThanOrEqual(9)
  })

  it('trains the unfrozen layers only', async () => {
    const model = tfl.sequential({
      layers: [layers.dense({ units: 2, inputShape: [3], name: 'a' }), layers.dense({ units: 1, name: 'b' })],
    })
    randomizeWeights(model)
    model.getLayer('a').trainable = false
    const kernels = () =>
      tf.tidy(() => ['a', 'b'].map((name) => model.getLayer(name).getWeights()[0]!.dataSync().slice()))
    const before = kernels()
    await fit(setupOf(model), linearData())
    expect(kernels()[0]).toEqual(before[0])
    expect(kernels()[1]).not.toEqual(before[1])
  })

  it('names what is wrong with options, data and setups', async () => {
    const setup = setupOf(linear())
    const data = linearData()
    const cases: [FitOptions, string][] = [
      [{ epochs: 0 }, 'Received epochs=0'],
      [{ batchSize: 1.5 }, 'Received batchSize=1.5'],
      [{ batchesPerEpoch: 3 }, 'is for datasets'],
      [{ initialEpoch: -1 }, 'Received initialEpoch=-1'],
      [{ seed: Number.NaN }, 'Received seed=NaN'],
      [{ validationSplit: 1 }, 'Received validationSplit=1'],
      [{ validationSplit: 0.99 }, 'must leave both parts some examples'],
      [{ validationSplit: 0.5, validationData: data }, 'Received both'],
      [{ metrics: [(() => tf.scalar(0)) as never] }, 'must have a name'],
      [{ metrics: ['loss' as never] }, 'Received loss'],
    ]
    for (const [options, message] of cases) await expect(fit(setup, data, options)).rejects.toThrow(message)
    await expect(fit(setup, { xs: data.xs, ys: tf.zeros([9, 1]) })).rejects.toThrow('Received 10, 9')
    await expect(fit(setup, { xs: [data.xs, data.xs], ys: data.ys })).rejects.toThrow(
      'Received 2 tensors in xs',
    )
    await expect(fit(setup, asDataset(data, 4), { batchSize: 4 })).rejects.toThrow('left to the dataset')
    const empty: BatchDataset = {
      iterator: async () => ({ next: async () => ({ value: null, done: true }) }),
    }
    await expect(fit(setup, empty)).rejects.toThrow('must not be empty')
    await expect(fit({ ...setup, loss: [losses.mse, losses.mse] }, data)).rejects.toThrow('Received 2 losses')
    setup.model.trainable = false
    await expect(fit(setup, data)).rejects.toThrow('must have trainable weights')
  })
})
