/** Finding the attention layers of a model. */
import type { LayersModel, layers } from '@tensorflow/tfjs-layers'
import { DifferentialAttention } from './differential-attention'
import { DifferentialAttentionV2 } from './differential-attention-v2'
import { MultiHeadAttention } from './multi-head-attention'

/** An attention layer of this package. */
export type AttentionLayer = DifferentialAttention | DifferentialAttentionV2 | MultiHeadAttention

export const isAttention = (layer: layers.Layer): layer is AttentionLayer =>
  layer instanceof DifferentialAttention ||
  layer instanceof DifferentialAttentionV2 ||
  layer instanceof MultiHeadAttention

/** Every layer of a model, those of models within it included. */
export function* allLayers(model: LayersModel): Generator<layers.Layer> {
  for (const layer of model.layers) {
    yield layer
    if ('layers' in layer) yield* allLayers(layer as unknown as LayersModel)
  }
}
