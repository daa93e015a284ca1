/** Tasks whose setup is a `TrainingSetup`: a model, an optimizer, a loss and a step, trained on minibatches. */

import * as tf from '@tensorflow/tfjs-core'
import type { Batch, Method, TrainingSetup } from '@tfgraft/core'
import type { Hyperparameters, LoadedTask, Training, TrainingWatch } from './task'

/** Minibatches of one epoch per iteration. The consumer disposes them. */
export interface BatchSource extends AsyncIterable<Batch> {
  readonly size: number
}

export interface SupervisedOptions {
  /** The setup before any method. All randomness comes from `seed`. */
  baseline(hyperparameters: Hyperparameters, seed: number): TrainingSetup
  /** Training batches in an order fixed by `seed`; a new order each epoch. */
  train(seed: number): BatchSource
  /** Held-out batches. */
  evaluation: BatchSource
  /** Scalars for one batch, each a mean over its examples. `accuracy`, if there is one, is shown while training. */
  metrics(labels: tf.Tensor, predictions: tf.Tensor): Record<string, tf.Tensor>
  dispose?(): void
}

/** A supervised task, ready to start trainings. */
export function supervised(options: SupervisedOptions): LoadedTask<TrainingSetup> {
  return {
    start: (method, hyperparameters, seed) => startTraining(options, method, hyperparameters, seed),
    dispose: () => options.dispose?.(),
  }
}

function startTraining(
  { baseline, train, evaluation, metrics }: SupervisedOptions,
  method: Method,
  hyperparameters: Hyperparameters,
  seed: number,
): Training {
  const plain = baseline(hyperparameters, seed)
  const setup = method.apply(plain)
  const batches = train(seed)
  let steps = 0
  let probe: Batch | undefined

  /** One step of the method, and the numbers that the display wants. */
  const step = async (batch: Batch, epoch: number) => {
    const { loss, predictions } = setup.step(setup, batch, { epoch, step: steps, seed: seed + 7919 * steps })
    steps++
    const shown = tf.tidy(() => metrics(first(batch.ys), predictions[0]!))
    const [lossValue, accuracy] = await Promise.all([read(loss), shown.accuracy && read(shown.accuracy)])
    tf.dispose([loss, predictions, shown])
    return accuracy === undefined ? { loss: lossValue } : { loss: lossValue, accuracy }
  }

  return {
    parameters: setup.model.countParams(),
    stepsPerEpoch: batches.size,
    async train({ epochs, signal, onStep, onEpoch }: TrainingWatch) {
      for (let epoch = 0; epoch < epochs; epoch++) {
        const sums = { loss: 0, accuracy: 0, steps: 0 }
        for await (const batch of batches) {
          const { loss, accuracy } = await step(batch, epoch)
          tf.dispose([batch.xs, batch.ys])
          sums.loss += loss
          sums.accuracy += accuracy ?? 0
          sums.steps++
          await onStep(accuracy === undefined ? { loss } : { loss, accuracy })
          if (signal.aborted) return
        }
        await onEpoch({ loss: sums.loss / sums.steps, accuracy: sums.accuracy / sums.steps })
      }
    },
    async evaluate() {
      const sums: Record<string, number> = {}
      let examples = 0
      for await (const batch of evaluation) {
        const count = first(batch.xs).shape[0]!
        const values = tf.tidy(() => {
          const predictions = setup.model.apply(batch.xs, { training: false })
          return metrics(first(batch.ys), first(predictions as tf.Tensor | tf.Tensor[]))
        })
        for (const [name, value] of Object.entries(values))
          sums[name] = (sums[name] ?? 0) + count * (await read(value))
        examples += count
        tf.dispose([batch.xs, batch.ys])
        tf.dispose(values)
      }
      return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / examples]))
    },
    async step() {
      probe ??= (await batches[Symbol.asyncIterator]().next()).value as Batch
      await step(probe, 0)
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

const first = (value: tf.Tensor | tf.Tensor[]): tf.Tensor => (Array.isArray(value) ? value[0]! : value)

const read = async (scalar: tf.Tensor): Promise<number> => (await scalar.data())[0]!
