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
  type TrainingSetup,
  withSeededMathRandom,
} from '@tfgraft/core'
import type { Hyperparameters, LoadedTask, Training } from './task'

/** Batches whose number per epoch is known. */
export type SizedDataset = BatchDataset & { readonly size: number }

export interface SupervisedOptions {
  /** The setup before any method. `seed` is for initialisers that take one; others are seeded by the harness. */
  baseline(hyperparameters: Hyperparameters, seed: number): TrainingSetup
  /** Training batches in an order fixed by `seed`; a new order each epoch. */
  train(seed: number): SizedDataset
  /** Held-out batches. */
  evaluation: BatchDataset
  /** Measured beside the loss on each batch, training and held-out. `accuracy` is shown while training. */
  metrics: Readonly<Record<string, LossFunction>>
  /** Whatever else the task reports about a model, such as its accuracy under attack. */
  measure?(setup: TrainingSetup): Promise<Record<string, number>>
  dispose?(): void
}

/** What `fit` logs: the loss and the metrics. */
type Logs = Record<string, number>

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
  const shown = ({ loss = Number.NaN, accuracy }: Logs) =>
    accuracy === undefined ? { loss } : { loss, accuracy }
  let probe: Batch | undefined
  let probes = 0

  return {
    parameters: setup.model.countParams(),
    stepsPerEpoch: dataset.size,
    async train({ epochs, signal, onStep, onEpoch }) {
      await fit(setup, dataset, {
        epochs,
        metrics,
        seed,
        signal,
        callbacks: {
          onBatchEnd: async (_batch: number, logs: Logs = {}) => onStep(shown(logs)),
          onEpochEnd: async (_epoch: number, logs: Logs = {}) => onEpoch(shown(logs)),
        },
      })
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
