import type * as tfl from '@tensorflow/tfjs-layers'
import { graft } from '@tfgraft/core'
import {
  SplitBatchNormalization,
  type SplitBatchNormalizationArgs,
  splitBatchNormalization,
} from '../batch-normalization/split-batch-normalization'
import type { ResolvedOptions } from './options'

/** The model with auxiliary statistics in every batch normalisation; those that have them already are kept. */
export function swapBatchNormalization(
  model: tfl.LayersModel,
  { attacks, auxiliary, momentum, unbiasedVariance }: ResolvedOptions,
): tfl.LayersModel {
  if (auxiliary === 'none') return model
  const seen: string[] = []
  const swapped = graft(model, (layer) => {
    seen.push(layer.getClassName())
    if (layer instanceof SplitBatchNormalization) {
      if (layer.auxiliaries < attacks.length)
        throw new Error(
          `advprop: ${layer.name} must have an auxiliary per attack. Received auxiliaries=${layer.auxiliaries} ` +
            `for ${attacks.length} attacks.`,
        )
      return undefined
    }
    if (layer.getClassName() !== 'BatchNormalization') return undefined
    const args = layer.getConfig() as unknown as SplitBatchNormalizationArgs
    return splitBatchNormalization({
      ...args,
      ...(momentum === undefined ? {} : { momentum }),
      auxiliaries: attacks.length,
      affine: auxiliary,
      unbiasedVariance,
    })
  })
  if (!seen.some((name) => name === 'BatchNormalization' || name === 'SplitBatchNormalization'))
    throw new Error(
      "advprop: the model must have BatchNormalization layers, or `auxiliary` must be 'none'. " +
        `Received ${model.name} with ${[...new Set(seen)].join(', ')}.`,
    )
  return swapped
}
