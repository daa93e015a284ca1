/** Looking at attention: the maps of a layer as tensors. */
import * as tf from '@tensorflow/tfjs-core'
import { DifferentialAttention } from './differential-attention'
import { DifferentialAttentionV2 } from './differential-attention-v2'
import { firstTensor } from './layer-inputs'
import type { MultiHeadAttention } from './multi-head-attention'
import { attentionProblem } from './op/options'
import { additiveKeyMask, attentionMaps, broadcastLambda, mapsOf } from './op/reference'

export type AttentionLayer = DifferentialAttention | DifferentialAttentionV2 | MultiHeadAttention

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
  const tensors = tf.tidy(() => {
    const { q, k, v, options } = layer.sequences(inputs)
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
