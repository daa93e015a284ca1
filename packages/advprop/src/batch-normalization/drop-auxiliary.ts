import type * as tfl from '@tensorflow/tfjs-layers'
import { graft } from '@tfgraft/core'
import { SplitBatchNormalization } from './split-batch-normalization'

/**
 * The model with an ordinary BatchNormalization for every SplitBatchNormalization: the main branch alone, which is what
 * inference uses. Layer and weight names are those of the model before AdvProp, so it loads without this package.
 *
 * @param model - left as it is. Shares no weights with the result.
 *
 * @example
 * ```ts
 * import * as tfl from '@tensorflow/tfjs-layers'
 * import { dropAuxiliary, splitBatchNormalization } from '@tfgraft/advprop'
 *
 * const model = tfl.sequential({
 *   layers: [tfl.layers.dense({ units: 3, inputShape: [2] }), splitBatchNormalization({ name: 'bn' })],
 * })
 * console.log(dropAuxiliary(model).weights.map((weight) => weight.name))
 * ```
 */
export function dropAuxiliary(model: tfl.LayersModel): tfl.LayersModel {
  return graft(model, (layer) =>
    layer instanceof SplitBatchNormalization ? layer.toBatchNormalization() : undefined,
  )
}
