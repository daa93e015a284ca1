import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { fit } from '../fit/fit'
import type { TrainingSetup } from '../method'
import { adamW } from '../optimizers/adam-w'
import { clipByGlobalNorm } from '../optimizers/clip-by-global-norm'
import { cosineDecay } from '../optimizers/schedules'
import { defaultStep } from '../train-step'
import { checkpointTo, resumeFrom } from './checkpoint'
import { fileCheckpoint } from './file-checkpoint'

const { layers } = tfl

const optimizers: Record<string, () => tf.Optimizer> = {
  sgd: () => tf.train.sgd(0.1),
  momentum: () => tf.train.momentum(0.1, 0.9),
  adam: () => tf.train.adam(0.05),
  rmsprop: () => tf.train.rmsprop(0.02),
  adagrad: () => tf.train.adagrad(0.05),
  'adamW with a schedule': () => adamW({ learningRate: cosineDecay({ initial: 0.05, steps: 20 }) }),
  'clipped adamW': () => clipByGlobalNorm(adamW({ learningRate: 0.05 }), 0.5),
}

/** A new setup with the same initial weights each time: batch normalisation has state, dropout is random. */
function newSetup(optimizer: tf.Optimizer): TrainingSetup {
  const kernel = (seed: number) => tfl.initializers.glorotNormal({ seed })
  const model = tfl.sequential({
    layers: [
      layers.dense({ units: 6, inputShape: [3], activation: 'tanh', kernelInitializer: kernel(1) }),
      layers.batchNormalization(),
      layers.dropout({ rate: 0.3 }),
      layers.dense({ units: 1, kernelInitializer: kernel(2) }),
    ],
  })
  return { model, optimizer, loss: tfl.metrics.meanSquaredError, step: defaultStep }
}

const data = () => ({
  xs: tf.randomNormal([20, 3], 0, 1, 'float32', 1),
  ys: tf.randomNormal([20, 1], 0, 1, 'float32', 2),
})
const weightsOf = ({ model }: TrainingSetup) =>
  tf.tidy(() => model.getWeights().map((w) => w.dataSync().slice()))

describeBackends('checkpoints', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(`${tmpdir()}/tfgraft-checkpoint-`)
  })
  afterEach(() => rm(folder, { recursive: true }))

  it.each(Object.entries(optimizers))(
    'a run that was aborted and resumed is the uninterrupted run to the last bit: %s',
    async (_, optimizer) => {
      const options = { epochs: 5, batchSize: 8, seed: 3 }
      const whole = newSetup(optimizer())
      const expected = (await fit(whole, data(), options)).history.loss!

      const controller = new AbortController()
      let batches = 0
      const abort = { onBatchEnd: () => void (++batches === 8 && controller.abort()) } // in the third epoch
      const part = newSetup(optimizer())
      const callbacks = [checkpointTo(folder), abort]
      const first = await fit(part, data(), { ...options, callbacks, signal: controller.signal })
      expect(first.history.loss).toEqual(expected.slice(0, 2))

      const resumed = newSetup(optimizer())
      const state = await resumeFrom(folder, resumed)
      expect(state).toEqual({ initialEpoch: 2, initialStep: 6, seed: 3 })
      const rest = await fit(resumed, data(), { ...options, ...state })
      expect(rest.history.loss).toEqual(expected.slice(2))
      expect(weightsOf(resumed)).toEqual(weightsOf(whole))
    },
  )

  it('holds one whole checkpoint, whatever a crash left beside it, that tfjs can load as a model', async () => {
    const setup = newSetup(adamW())
    setup.model.setUserDefinedMetadata({ note: 'mine' })
    await fit(setup, data(), { epochs: 3, callbacks: checkpointTo(folder) })
    expect((await readdir(folder)).sort()).toEqual(['model.json', expect.stringMatching(/^weights-.*\.bin$/)])

    await writeFile(`${folder}/model.json.tmp`, '{"modelTopology"') // died before the rename
    await writeFile(`${folder}/weights-orphan.bin`, 'half of the weights')
    const loaded = await tfl.loadLayersModel(fileCheckpoint(folder))
    const x = tf.ones([2, 3])
    expectClose(loaded.predict(x) as tf.Tensor, setup.model.predict(x) as tf.Tensor, { rtol: 0, atol: 0 })
    expect(loaded.getUserDefinedMetadata()).toMatchObject({ note: 'mine' })

    const resumed = newSetup(adamW())
    const state = await resumeFrom(folder, resumed)
    expect(state.initialEpoch).toBe(3)
    await fit(resumed, data(), { ...state, epochs: 4, callbacks: checkpointTo(folder) })
    expect((await readdir(folder)).length).toBe(2)
  })

  it('saves every n epochs and the last one', async () => {
    const saved: number[] = []
    const handler: tf.io.IOHandler = {
      save: async ({ userDefinedMetadata }) => {
        saved.push(
          (userDefinedMetadata as { tfgraftCheckpoint: { epochs: number } }).tfgraftCheckpoint.epochs,
        )
        return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
      },
    }
    await fit(newSetup(tf.train.sgd(0.1)), data(), {
      epochs: 5,
      callbacks: checkpointTo(handler, { every: 2 }),
    })
    expect(saved).toEqual([2, 4, 5])
  })

  it('leaves no tensor behind, neither saving nor resuming', async () => {
    const setup = newSetup(adamW())
    const tensors = data()
    await fit(setup, tensors, { epochs: 1 }) // makes the slots of the optimizer
    await expectNoTensorLeak(() => fit(setup, tensors, { epochs: 2, callbacks: checkpointTo(folder) }))
    await expectNoTensorLeak(() => resumeFrom(folder, setup))
  })

  it('names what is wrong', async () => {
    expect(() => checkpointTo('nowhere://x')).toThrow('Received nowhere://x')
    expect(() => checkpointTo(folder, { every: 0 })).toThrow('Received every=0')
    await expect(resumeFrom(`${folder}/none`, newSetup(adamW()))).rejects.toThrow('ENOENT')

    const setup = newSetup(adamW())
    setup.model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const { xs, ys } = data()
    await expect(setup.model.fit(xs, ys, { verbose: 0, callbacks: checkpointTo(folder) })).rejects.toThrow(
      'must run in `fit` of @tfgraft/core',
    )
    await setup.model.save(fileCheckpoint(folder))
    await expect(resumeFrom(folder, setup)).rejects.toThrow('Received a plain model')

    await fit(setup, { xs, ys }, { callbacks: checkpointTo(folder) })
    await expect(resumeFrom(folder, newSetup(tf.train.sgd(0.1)))).rejects.toThrow(
      'must be AdamW, as in the checkpoint. Received SGD',
    )
    const other = tfl.sequential({ layers: [layers.dense({ units: 2, inputShape: [3] })] })
    await expect(resumeFrom(folder, { model: other, optimizer: adamW() })).rejects.toThrow(
      '[3,2] [2]. Received [3,6]',
    )
    await expect(
      fit(newSetup(tf.train.adamax(0.1)), { xs, ys }, { callbacks: checkpointTo(folder) }),
    ).rejects.toThrow('must implement `getWeights`. Received Adamax')
  })
})
