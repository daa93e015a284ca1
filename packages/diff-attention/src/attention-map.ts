/** Looking at attention: the maps of a layer as tensors. */
import * as tf from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import { type AttentionLayer, allLayers, isAttention } from './attention-layers-of'
import { DifferentialAttention } from './differential-attention'
import { DifferentialAttentionV2 } from './differential-attention-v2'
import { type CallOptions, checkBuilt, firstTensor } from './layer-inputs'
import { attentionProblem } from './op/options'
import { additiveKeyMask, attentionMaps, broadcastLambda, mapsOf } from './op/reference'

/** The maps of one call, each `[batch, heads, query, key]`. */
export interface AttentionMaps {
  /** The first map, A1: rows sum to 1. Of plain attention, the only one. */
  first: tf.Tensor
  /** The second map, A2. */
  second?: tf.Tensor
  /** A1 - lambda A2: what meets the values. */
  difference?: tf.Tensor
}

/**
 * The attention maps of a layer on some input. They take memory of length x length per head, which the layer itself never does.
 *
 * @param layer An attention layer of this package that was applied or built.
 * @param inputs What the layer is called with.
 * @returns Tensors, to be disposed by the caller.
 * @throws When the layer has no weights yet.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { attentionMapsOf, differentialAttention } from '@tfgraft/diff-attention'
 *
 * const layer = differentialAttention({ numHeads: 2, causal: true })
 * const x = tf.randomNormal([1, 5, 16])
 * layer.apply(x)
 * console.log(attentionMapsOf(layer, x).difference?.shape) // [1, 2, 5, 5]
 * ```
 */
export function attentionMapsOf(layer: AttentionLayer, inputs: tf.Tensor | tf.Tensor[]): AttentionMaps {
  checkBuilt('attentionMapsOf', layer)
  return mapsOfCall(layer, inputs, {})
}

function mapsOfCall(
  layer: AttentionLayer,
  inputs: tf.Tensor | tf.Tensor[],
  kwargs: CallOptions,
): AttentionMaps {
  const tensors = tf.tidy(() => {
    const { q, k, v, options } = layer.sequences(inputs, kwargs)
    const differential = layer instanceof DifferentialAttention || layer instanceof DifferentialAttentionV2
    const problem = attentionProblem('attentionMapsOf', differential ? 2 : 1, q, k, v, options)
    const keyBias = options.keyMask && additiveKeyMask(options.keyMask)
    const maps = mapsOf(attentionMaps({ q, k, mask: options.mask, keyBias }, problem), problem)
    if (!differential) return maps
    const lambda = layer instanceof DifferentialAttention ? layer.lambda() : layer.lambda(firstTensor(inputs))
    const [first, second] = maps as [tf.Tensor, tf.Tensor]
    return [first, second, tf.sub(first, tf.mul(broadcastLambda(lambda, problem), second))]
  })
  const [first, second, difference] = tensors
  return second && difference ? { first: first!, second, difference } : { first: first! }
}

/**
 * The attention maps of every attention layer in a model, those in blocks included, on some input of the model.
 *
 * @param model Any model with attention layers of this package.
 * @param inputs What the model predicts from.
 * @returns One entry per call of a layer, in the order of the calls. The tensors are to be disposed by the caller.
 * @throws When the model has no attention layer of this package.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { attentionMapsOfModel, causalLanguageModel } from '@tfgraft/diff-attention'
 *
 * const model = causalLanguageModel({ vocabularySize: 7, dim: 16, numLayers: 2, numHeads: 2 })
 * for (const { layer, maps } of attentionMapsOfModel(model, tf.tensor2d([[1, 2, 3]], [1, 3], 'int32')))
 *   console.log(layer.name, maps.difference?.shape) // .. [1, 2, 3, 3]
 * ```
 */
export function attentionMapsOfModel(
  model: LayersModel,
  inputs: tf.Tensor | tf.Tensor[],
): { layer: AttentionLayer; maps: AttentionMaps }[] {
  const attention = [...allLayers(model)].filter(isAttention)
  if (!attention.length)
    throw new Error(
      `attentionMapsOfModel: \`model\` must have attention layers of this package. Received ${model.name}.`,
    )
  const seen: { layer: AttentionLayer; maps: AttentionMaps }[] = []
  for (const layer of attention) {
    const call = layer.call.bind(layer)
    // An own property, which hides the method of the class until it is deleted.
    layer.call = (given, kwargs = {}) => {
      const maps = mapsOfCall(layer, given, kwargs)
      for (const map of Object.values(maps)) tf.keep(map)
      seen.push({ layer, maps })
      return call(given, kwargs)
    }
  }
  try {
    tf.tidy(() => void model.apply(inputs))
  } finally {
    for (const layer of attention) Reflect.deleteProperty(layer, 'call')
  }
  return seen
}
