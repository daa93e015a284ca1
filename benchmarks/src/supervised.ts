/** Tasks whose setup is a `TrainingSetup`: a model, an optimizer, a loss and a step, trained by `fit` on minibatches. */

import * as tf from '@tensorflow/tfjs-core'
import {
  type Batch,
  type BatchDataset,
  createRandom,
  evaluate,
  fit,
  type LossFunction,
  type Method,
  resumeFrom,
  saveCheckpoint,
  type TrainingSetup,
  type TrainingState,
  withSeededMathRandom,
} from '@tfgraft/core'
import type { Hyperparameters, LoadedTask, Training } from './task'

/**
 * Batches whose number per epoch is known. Each `iterator()` is the next epoch, in an order that does not depend on how much of
 * the epochs before was read: so an interrupted training can go to its place again.
 */
export type SizedDataset = BatchDataset & { readonly size: number }

export interface SupervisedOptions {
  /** The setup before any method. `seed` is for initialisers that take one; others are seeded by the harness. */
  baseline(hyperparameters: Hyperparameters, seed: number): TrainingSetup
  /** Training batches in an order fixed by `seed`; a new order each epoch. */
  train(seed: number): SizedDataset
  /** Held-out batches. */
  evaluation: BatchDataset
  /** Measured beside the loss on held-out batches. `accuracy` is also shown while training. */
  metrics: Readonly<Record<string, LossFunction>>
  /** Whatever else the task reports about a model, such as its accuracy under attack. */
  measure?(setup: TrainingSetup): Promise<Record<string, number>>
  dispose?(): void
}

/** What `fit` logs: the loss and the metrics, and of a batch also its size. */
type Logs = Record<string, number>

/** What a checkpoint holds. */
interface SupervisedState {
  /** Model and optimizer, in the format of `saveCheckpoint`. */
  artifacts: tf.io.ModelArtifacts
  epoch: number
  step: number
  /** Of the epoch that is under way: sums over its examples so far. */
  sums: Logs
}

/** A supervised task, ready to start trainings. */
export function supervised(options: SupervisedOptions): LoadedTask<TrainingSetup> {
  return {
    start: async (method, hyperparameters, seed) => startTraining(options, method, hyperparameters, seed),
    dispose: () => options.dispose?.(),
  }
}

function startTraining(
  { baseline, train, evaluation, metrics, measure }: SupervisedOptions,
  method: Method,
  hyperparameters: Hyperparameters,
  seed: number,
): Training {
  // tfjs seeds whatever has no seed by `Math.random`: layers' default initialisers, and those of methods.
  const { plain, setup } = withSeededMathRandom(`initial weights ${seed}`, () => {
    const plain = baseline(hyperparameters, seed)
    return { plain, setup: method.apply(plain) }
  })
  const dataset = train(seed)
  let probe: Batch | undefined
  let probes = 0
  let state: TrainingState | undefined
  let start = { initialEpoch: 0, initialStep: 0 }
  let sums: Logs = { size: 0 }

  return {
    parameters: setup.model.countParams(),
    stepsPerEpoch: dataset.size,
    async train({ epochs, signal, onStep, onEpoch }) {
      if (start.initialEpoch >= epochs) return
      const watched = watchAccuracy(setup, metrics.accuracy)
      await fit(watched.setup, fromPlace(dataset, start), {
        ...start,
        epochs,
        seed,
        signal,
        yieldEvery: 'never', // whoever watches gives turns to the event loop; those of `fit` are a millisecond of sleep each
        callbacks: {
          setTrainingState: (live) => {
            state = live
          },
          onBatchEnd: async (_batch: number, logs: Logs = {}) => {
            addTo(sums, logs)
            await onStep({ loss: logs.loss ?? Number.NaN, ...(await watched.latest()) })
          },
          // Not the means that `fit` logs: after a resume they would be those of the rest of the epoch.
          onEpochEnd: async () => {
            const means = meansOf(sums)
            sums = { size: 0 }
            await onEpoch({ loss: means.loss ?? Number.NaN })
          },
        },
      })
    },
    async save(): Promise<SupervisedState> {
      const { epochs: epoch, steps: step } = state!
      const { handler, saved } = inMemory()
      await saveCheckpoint(handler, state!)
      return { artifacts: saved(), epoch, step, sums: { ...sums } }
    },
    async load(from) {
      const { artifacts, epoch, step, sums: before } = from as SupervisedState
      await resumeFrom({ load: async () => artifacts }, setup)
      start = { initialEpoch: epoch, initialStep: step }
      sums = { ...before }
    },
    evaluate: async () => ({
      ...(await evaluate(setup, evaluation, { metrics })),
      ...(await measure?.(setup)),
    }),
    async step() {
      probe ??= (await (await dataset.iterator()).next()).value as Batch
      const { loss, predictions } = setup.step(setup, probe, {
        epoch: 0,
        step: probes,
        seed: createRandom(seed)
          .fork(`probe ${probes}`)
          .integer(0, 2 ** 31),
      })
      probes++
      await loss.data() // on asynchronous backends, the step is over when its loss is known
      tf.dispose([loss, predictions])
    },
    dispose() {
      if (probe) tf.dispose([probe.xs, probe.ys])
      setup.optimizer.dispose()
      if (setup.optimizer !== plain.optimizer) plain.optimizer.dispose()
      if (setup.model !== plain.model) setup.model.dispose()
      plain.model.dispose()
    },
  }
}

/** Adds a batch's logs, which are means over its examples. */
function addTo(sums: Logs, { batch: _, size = 0, ...means }: Logs): void {
  sums.size! += size
  for (const [name, mean] of Object.entries(means)) sums[name] = (sums[name] ?? 0) + size * mean
}

const meansOf = ({ size, ...sums }: Logs): Logs =>
  Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / size!]))

/** The same batches without those that were trained on before. */
function fromPlace(
  dataset: SizedDataset,
  { initialEpoch, initialStep }: { initialEpoch: number; initialStep: number },
): SizedDataset {
  let first = true
  return {
    size: dataset.size,
    async iterator() {
      if (!first) return dataset.iterator()
      first = false
      for (let epoch = 0; epoch < initialEpoch; epoch++) await dataset.iterator()
      const iterator = await dataset.iterator()
      for (let batch = initialEpoch * dataset.size; batch < initialStep; batch++) {
        const { xs, ys } = (await iterator.next()).value as Batch
        tf.dispose([xs, ys])
      }
      return iterator
    },
  }
}

/** An IO handler that keeps what is saved. */
function inMemory(): { handler: tf.io.IOHandler; saved: () => tf.io.ModelArtifacts } {
  let kept: tf.io.ModelArtifacts | undefined
  return {
    handler: {
      save: async (artifacts) => {
        kept = artifacts
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
      },
    },
    saved: () => kept!,
  }
}

/** Least milliseconds between two batches whose accuracy is computed: it is to be seen, and results do not depend on it. */
const accuracyEveryMs = 1000

/** A setup whose step looks now and then at what the model says of its batch. */
function watchAccuracy(setup: TrainingSetup, accuracy: LossFunction | undefined) {
  let last = Number.NEGATIVE_INFINITY
  let shown: { accuracy: number } | undefined
  let pending: tf.Tensor | undefined
  const step: TrainingSetup['step'] = (inner, batch, context) => {
    const output = setup.step(inner, batch, context)
    const now = performance.now()
    if (accuracy && now - last > accuracyEveryMs) {
      last = now
      const labels = Array.isArray(batch.ys) ? batch.ys[0]! : batch.ys
      pending = tf.tidy(() => tf.mean(accuracy(labels, output.predictions[0]!)))
    }
    return output
  }
  return {
    setup: { ...setup, step },
    /** Of the last batch that was looked at. */
    async latest() {
      if (pending) {
        shown = { accuracy: (await pending.data())[0]! }
        pending.dispose()
        pending = undefined
      }
      return shown
    },
  }
}
