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

/** Means over batches, weighted by batch size, kept on the device until they are read, all at once. */
export class RunningMeans {
  private sums: tf.Scalar[] = []
  private seen = 0

  constructor(private readonly names: readonly string[]) {}

  add(values: readonly tf.Scalar[], size: number): void {
    const old = this.sums
    this.sums = tf.tidy(() =>
      values.map((value, i) => {
        const weighted = tf.mul(tf.cast(value, 'float32'), size)
        return (old.length ? tf.add(old[i]!, weighted) : weighted) as tf.Scalar
      }),
    )
    tf.dispose(old)
    this.seen += size
  }

  /** The means by name. Empty when nothing was added. */
  async read(): Promise<Record<string, number>> {
    if (!this.seen) return {}
    const stacked = tf.stack(this.sums)
    const sums = await stacked.data()
    stacked.dispose()
    return Object.fromEntries(this.names.map((name, i) => [name, sums[i]! / this.seen]))
  }

  dispose(): void {
    tf.dispose(this.sums)
    this.sums = []
  }
}
