/** Shows what ProxProp does to a model: one report per proximal layer, for one batch. */
import * as tf from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import { dataLoss, forward, type LossFunction } from '@tfgraft/core'
import { type LayerReport, measureStep, readReport } from './layer-report'
import { observe } from './observe'

/**
 * Runs one backward pass without taking the step, and reports per proximal layer how long the step would be, its
 * angle to the plain gradient, the condition of its system and how hard the solver worked.
 *
 * @param model A model with proximal layers.
 * @param xs One tensor per input.
 * @param ys Labels, one tensor per output.
 * @param loss One loss for all outputs, or one per output.
 * @returns One report per layer, in the order of the backward pass: from the last layer to the first.
 * @throws Error when no proximal layer took part.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { layers, metrics, sequential } from '@tensorflow/tfjs-layers'
 * import { useBackend } from '@tfgraft/backends'
 * import { explain, proxDense } from '@tfgraft/proxprop'
 *
 * await useBackend('wasm')
 * const hidden = proxDense({ units: 8, inputShape: [4], name: 'hidden', solver: { cg: 3 } })
 * const model = sequential({ layers: [hidden, layers.dense({ units: 1 })] })
 * const [report] = await explain(model, tf.randomNormal([16, 4]), tf.ones([16, 1]), metrics.meanSquaredError)
 * console.log(report.layer, report.angle < 90, report.iterations) // hidden true 3
 * ```
 */
export async function explain(
  model: LayersModel,
  xs: tf.Tensor | tf.Tensor[],
  ys: tf.Tensor | tf.Tensor[],
  loss: LossFunction | LossFunction[],
): Promise<LayerReport[]> {
  const measured: [layer: string, numbers: tf.Tensor1D][] = []
  observe({ dry: true, watch: (step) => void measured.push([step.layer, measureStep(step)]) })
  try {
    tf.tidy(() => {
      const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable)
      tf.variableGrads(() => dataLoss(loss, ys, forward(model, xs, { training: true })), variables)
    })
  } finally {
    observe(undefined)
  }
  if (measured.length === 0)
    throw new Error(
      `explain: the model must have a proximal layer that is trainable. Received ${model.name} with ` +
        `${model.layers.map((layer) => layer.getClassName()).join(', ')}.`,
    )
  return Promise.all(measured.map(([layer, numbers]) => readReport(layer, numbers)))
}
