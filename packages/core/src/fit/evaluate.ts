import * as tf from '@tensorflow/tfjs-core'
import type { TrainingSetup } from '../method'
import { dataLoss, forward } from '../train-step'
import {
  type BatchSource,
  datasetBatches,
  type FitData,
  isDataset,
  tensorBatches,
  tensorsOf,
} from './batches'
import { logNames, type Metrics, namedMetrics, outputScalars, RunningMeans } from './metrics'

export interface EvaluateOptions {
  metrics?: Metrics
  /** Examples per batch, for tensors. @default 32 */
  batchSize?: number
}

/** A source of batches in the order of the data. */
export function orderedBatches(
  setup: Pick<TrainingSetup, 'model'>,
  data: FitData,
  batchSize: number,
): BatchSource {
  return isDataset(data)
    ? datasetBatches(data, setup.model)
    : tensorBatches(tensorsOf(data, setup.model), { batchSize })
}

/** Means of loss and metrics over one pass, in inference mode. Regularisation is not included, as in tfjs. */
export async function evaluateBatches(
  { model, loss }: Pick<TrainingSetup, 'model' | 'loss'>,
  source: BatchSource,
  metrics: ReturnType<typeof namedMetrics>,
): Promise<Record<string, number>> {
  const means = new RunningMeans(logNames(model, metrics))
  try {
    for await (const { xs, ys, size } of source.epoch(0)) {
      try {
        const values = tf.tidy(() => {
          const predictions = forward(model, xs)
          return [dataLoss(loss, ys, predictions), ...outputScalars(loss, metrics, ys, predictions)]
        })
        await means.add(values, size)
      } finally {
        tf.dispose([xs, ys])
      }
    }
    return await means.read()
  } finally {
    means.dispose()
  }
}

/**
 * Loss and metrics of a setup's model on data, averaged over the examples, under the names that {@link fit} logs.
 *
 * @param data Tensors `{xs, ys}` or `[xs, ys]`, or a `tf.data` dataset of `{xs, ys}` batches.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs'
 * import { defaultStep, evaluate } from '@tfgraft/core'
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4], activation: 'softmax' })] })
 * const loss = tf.metrics.categoricalCrossentropy
 * const data = { xs: tf.randomNormal([10, 4]), ys: tf.oneHot(tf.range(0, 10, 1, 'int32').mod(3).toInt(), 3) }
 * console.log(await evaluate({ model, loss }, data, { metrics: ['accuracy'] })) // { loss: ..., acc: ... }
 * ```
 */
export async function evaluate(
  setup: Pick<TrainingSetup, 'model' | 'loss'>,
  data: FitData,
  { metrics, batchSize = 32 }: EvaluateOptions = {},
): Promise<Record<string, number>> {
  return evaluateBatches(setup, orderedBatches(setup, data, batchSize), namedMetrics(metrics))
}
