/** Logs what ProxProp does while a model trains. */
import type { CustomCallbackArgs } from '@tensorflow/tfjs-layers'
import { type LayerReport, measureStep, readReport } from './layer-report'
import { observe } from './observe'

export interface ExplainCallbackOptions {
  /** Batches from one report to the next; each reported batch costs a few extra products per layer. @default 100 */
  every?: number
  /** Receives the reports of one batch. @default console.table */
  log?: (reports: LayerReport[], at: { epoch: number; batch: number }) => void
}

/**
 * A callback for `model.fit` and tfgraft's `fit` that reports on every proximal layer now and then.
 *
 * @throws Error when `every` is not an integer of at least 1.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { layers, sequential } from '@tensorflow/tfjs-layers'
 * import { useBackend } from '@tfgraft/backends'
 * import { explainCallback, proxDense } from '@tfgraft/proxprop'
 *
 * await useBackend('wasm')
 * const hidden = proxDense({ units: 8, inputShape: [4], name: 'hidden' })
 * const model = sequential({ layers: [hidden, layers.dense({ units: 1 })] })
 * model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
 * const callbacks = explainCallback({ every: 2, log: ([report]) => console.log(report.layer, report.angle) })
 * await model.fit(tf.randomNormal([16, 4]), tf.ones([16, 1]), { batchSize: 4, epochs: 1, verbose: 0, callbacks })
 * ```
 */
export function explainCallback(options: ExplainCallbackOptions = {}): CustomCallbackArgs {
  const { every = 100, log = (reports) => console.table(reports) } = options
  if (!Number.isInteger(every) || every < 1)
    throw new Error(`explainCallback: \`every\` must be an integer of at least 1. Received every=${every}.`)
  let epoch = 0
  let pending: Promise<LayerReport>[] = []
  return {
    onEpochBegin: (current) => {
      epoch = current
    },
    onBatchBegin: (batch) => {
      if (batch % every !== 0) return
      observe({ watch: (step) => void pending.push(readReport(step.layer, measureStep(step))) })
    },
    onBatchEnd: async (batch) => {
      if (batch % every !== 0) return
      observe(undefined)
      const reports = await Promise.all(pending)
      pending = []
      if (reports.length) log(reports, { epoch, batch })
    },
    onTrainEnd: () => observe(undefined),
  }
}
