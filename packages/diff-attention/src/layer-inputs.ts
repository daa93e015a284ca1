/** What the layers of this package share about the layer interface of tfjs. */
import type * as tf from '@tensorflow/tfjs-core'
import type { layers, Shape } from '@tensorflow/tfjs-layers'

/** What every layer takes besides its own options. */
export type LayerOptions = NonNullable<ConstructorParameters<typeof layers.Layer>[0]>

/** A weight of a layer. */
export type Weight = ReturnType<layers.Layer['addWeight']>

/** The arguments of a call, as tfjs passes them on. */
export interface CallOptions {
  training?: boolean
  /** `[batch, length]` of the first input: false or 0 where a position is padding. */
  mask?: tf.Tensor | null
  /** Additive mask `[batch | 1, heads | 1, query, key]` or `[query, key]`, when the layer is called eagerly. */
  attentionMask?: tf.Tensor
  /** Set by `generate`: keys and values of the positions so far. */
  cache?: object
}

export const firstTensor = (inputs: tf.Tensor | tf.Tensor[]): tf.Tensor =>
  Array.isArray(inputs) ? inputs[0]! : inputs

export const firstShape = (shape: Shape | Shape[]): Shape =>
  (Array.isArray(shape[0]) ? shape[0] : shape) as Shape

/** Throws when a layer has no weights yet. */
export function checkBuilt(name: string, layer: layers.Layer): void {
  if (!layer.built)
    throw new Error(
      `${name}: \`layer\` must be applied or built before, so that it has weights. Received ${layer.name}.`,
    )
}
