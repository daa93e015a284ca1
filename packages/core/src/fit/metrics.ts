/** Losses and metrics of a batch under the names that `model.fit` gives them, and their means over an epoch. */
import * as tf from '@tensorflow/tfjs-core'
import { type LayersModel, metrics as tfMetrics } from '@tensorflow/tfjs-layers'
import type { LossFunction } from '../method'

/**
 * `'accuracy'` (logged as `acc`, as in tfjs; binary, categorical or sparse by the shapes), or functions of labels and
 * predictions, logged under their own name or under the name given.
 */
export type Metrics = readonly ('accuracy' | LossFunction)[] | Readonly<Record<string, LossFunction>>

type NamedMetric = readonly [name: string, metric: LossFunction]

/** Chooses the accuracy by the shapes of labels and predictions, where tfjs goes by the name of the loss. */
const accuracy: LossFunction = (labels, predictions) => {
  const classes = predictions.shape.at(-1)
  if (classes === 1) return tfMetrics.binaryAccuracy(labels, predictions)
  return labels.shape.at(-1) === classes && labels.rank === predictions.rank
    ? tfMetrics.categoricalAccuracy(labels, predictions)
    : tfMetrics.sparseCategoricalAccuracy(labels, predictions)
}

/** Metrics with their names. Bad ones are an error here, before training starts. */
export function namedMetrics(metrics: Metrics = []): NamedMetric[] {
  const entries: [string, 'accuracy' | LossFunction][] = Array.isArray(metrics)
    ? metrics.map((metric) => [metric === 'accuracy' ? 'acc' : metric.name, metric])
    : Object.entries(metrics as Record<string, LossFunction>)
  return entries.map(([name, metric]) => {
    if (metric !== 'accuracy' && typeof metric !== 'function')
      throw new Error(`fit: a metric must be 'accuracy' or a function. Received ${String(metric)}.`)
    if (!name)
      throw new Error(
        'fit: a metric must have a name: pass `{ name: metric }`. Received an unnamed function.',
      )
    return [name, metric === 'accuracy' ? accuracy : metric]
  })
}

/** Names of all logged values, in order; equal names of several outputs get a number, as in tfjs. */
export function logNames(model: LayersModel, metrics: readonly NamedMetric[]): string[] {
  const outputs = model.outputs.length === 1 ? [] : model.outputNames
  const names = [
    'loss',
    ...outputs.map((output) => `${output}_loss`),
    ...(outputs.length
      ? outputs.flatMap((output) => metrics.map(([name]) => `${output}_${name}`))
      : metrics.map(([name]) => name)),
  ]
  return names.map((name, i) => {
    const repeated = names.filter((other) => other === name).length > 1
    return repeated ? `${name}_${names.slice(0, i).filter((other) => other === name).length}` : name
  })
}

/** What is logged beside the total loss: the loss per output, where there are several, and all metrics. */
export function outputScalars(
  loss: LossFunction | LossFunction[],
  metrics: readonly NamedMetric[],
  labels: tf.Tensor[],
  predictions: tf.Tensor[],
): tf.Scalar[] {
  return tf.tidy(() => {
    const mean = (f: LossFunction, i: number) => tf.mean(f(labels[i]!, predictions[i]!)) as tf.Scalar
    const losses =
      predictions.length === 1
        ? []
        : predictions.map((_, i) => mean(Array.isArray(loss) ? loss[i]! : loss, i))
    return [...losses, ...predictions.flatMap((_, i) => metrics.map(([, metric]) => mean(metric, i)))]
  })
}

/** A value of a batch: on the device, or read already. */
export type LoggedValue = tf.Scalar | number

/** Batches whose values are read at once: one wait for the device in so many steps, and so many small tensors alive. */
const batchesPerRead = 64

/**
 * Means over batches, weighted by batch size. Values are summed on the host, in double precision and in the order of the batches, so
 * that the means do not depend on when values are read; and tf ops on scalars, some 0.1 ms per step, would cost more than the rest of
 * the loop.
 */
export class RunningMeans {
  private readonly sums: number[]
  private seen = 0
  private pending: { values: readonly LoggedValue[]; size: number }[] = []

  constructor(private readonly names: readonly string[]) {
    this.sums = names.map(() => 0)
  }

  /** Takes the values over and disposes them. There is something to wait for only once in many batches. */
  add(values: readonly LoggedValue[], size: number): Promise<void> | undefined {
    this.pending.push({ values, size })
    return this.pending.length < batchesPerRead ? undefined : this.readPending()
  }

  /** The means by name. Empty when nothing was added. */
  async read(): Promise<Record<string, number>> {
    await this.readPending()
    if (!this.seen) return {}
    return Object.fromEntries(this.names.map((name, i) => [name, this.sums[i]! / this.seen]))
  }

  private async readPending(): Promise<void> {
    const numbers = await Promise.all(
      this.pending.flatMap(({ values }) =>
        values.map((value) => (typeof value === 'number' ? value : value.data())),
      ),
    )
    let next = 0
    for (const { values, size } of this.pending) {
      for (let i = 0; i < values.length; i++) {
        const number = numbers[next++]!
        this.sums[i]! += size * (typeof number === 'number' ? number : number[0]!)
      }
      this.seen += size
    }
    this.dispose()
  }

  /** Frees what was not read. */
  dispose(): void {
    for (const { values } of this.pending)
      for (const value of values) if (typeof value !== 'number') value.dispose()
    this.pending = []
  }
}
