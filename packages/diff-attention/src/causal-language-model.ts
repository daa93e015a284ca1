/** A decoder-only language model: embedding, transformer blocks, normalisation, projection to the vocabulary. */
import { input, type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers'
import { differentialAttention } from './differential-attention'
import { LearnedPositions } from './learned-positions'
import { rmsNormalization } from './rms-normalization'
import { transformerBlock } from './transformer-block'

export interface CausalLanguageModelConfig {
  /** Number of tokens. */
  vocabularySize: number
  /** Features per position. */
  dim: number
  numLayers: number
  /** Heads of the default attention layers. Half the heads of a plain transformer with as many parameters. */
  numHeads?: number
  /**
   * The attention layer of each depth, from 0. It must be causal.
   * @default depth => differentialAttention({ numHeads, depth, causal: true, rotary: 'interleaved' }), without rotation when positions
   * are learned
   */
  attention?: (depth: number) => layers.Layer
  /** Hidden width of the feed-forward layers. @default 8/3 dim, rounded to a multiple of 8 */
  feedForwardDim?: number
  /** Learned positions for sequences up to this length. @default none: attention rotates queries and keys */
  maxLength?: number
  /** Of the normalisations. @default 1e-5 */
  epsilon?: number
}

/**
 * Makes a language model: token numbers `[batch, length]` to logits `[batch, length, vocabularySize]`.
 *
 * @throws When a size is not a positive integer, or neither `numHeads` nor `attention` is given.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { causalLanguageModel } from '@tfgraft/diff-attention'
 *
 * const model = causalLanguageModel({ vocabularySize: 7, dim: 16, numLayers: 2, numHeads: 2 })
 * const logits = model.predict(tf.tensor2d([[1, 2, 3]])) as tf.Tensor
 * console.log(logits.shape) // [1, 3, 7]
 * ```
 */
export function causalLanguageModel(config: CausalLanguageModelConfig): LayersModel {
  const { vocabularySize, dim, numLayers, numHeads, feedForwardDim, maxLength, epsilon = 1e-5 } = config
  for (const [name, value] of Object.entries({ vocabularySize, dim, numLayers }))
    if (!(Number.isInteger(value) && value > 0))
      throw new Error(
        `causalLanguageModel: \`${name}\` must be a positive integer. Received ${name}=${value}.`,
      )
  if (numHeads === undefined && !config.attention)
    throw new Error('causalLanguageModel: `numHeads` or `attention` must be given. Received neither.')
  const attention =
    config.attention ??
    ((depth: number) =>
      differentialAttention({
        numHeads: numHeads!,
        depth,
        causal: true,
        rotary: maxLength === undefined ? 'interleaved' : undefined,
      }))
  const tokens = input({ shape: [null], dtype: 'int32' })
  let x = layers.embedding({ inputDim: vocabularySize, outputDim: dim }).apply(tokens) as SymbolicTensor
  if (maxLength !== undefined) x = new LearnedPositions({ maxLength }).apply(x) as SymbolicTensor
  for (let depth = 0; depth < numLayers; depth++) {
    const block = transformerBlock({ dim, attention: attention(depth), feedForwardDim, epsilon })
    x = block.apply(x) as SymbolicTensor
  }
  const normalised = rmsNormalization({ epsilon }).apply(x)
  const logits = layers.dense({ units: vocabularySize, useBias: false }).apply(normalised) as SymbolicTensor
  return model({ inputs: tokens, outputs: logits })
}
