/**
 * A transformer block with normalisation before each part: x += attention(norm(x)); x += feedForward(norm(x)).
 * Xiong et al. 2020, "On Layer Normalization in the Transformer Architecture" (arXiv 2002.04745); with RMS normalisation and SwiGLU
 * as in the differential transformer (arXiv 2410.05258, equations 4 and 5).
 */
import { input, type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers'
import { rmsNormalization } from './rms-normalization'
import { swiGLU } from './swiglu'

type Layer = layers.Layer

export interface TransformerBlockOptions {
  /** Features of the sequence. */
  dim: number
  /** The attention layer, `[batch, length, dim]` to the same shape. */
  attention: Layer
  /** Hidden width of the default feed-forward layer. @default 8/3 dim, rounded to a multiple of 8 */
  feedForwardDim?: number
  /** Another feed-forward layer, `[batch, length, dim]` to the same shape. @default swiGLU without biases */
  feedForward?: Layer
  /** Of the two normalisations. @default 1e-5 */
  epsilon?: number
  /** @default chosen by tfjs */
  name?: string
}

/**
 * Makes a transformer block. It is a model, and so a layer: `apply` it, `add` it to a Sequential model, save it within another.
 *
 * @throws When `dim` or `feedForwardDim` is not a positive integer, or both `feedForward` and `feedForwardDim` are given.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { differentialAttention, transformerBlock } from '@tfgraft/diff-attention'
 *
 * const block = transformerBlock({ dim: 32, attention: differentialAttention({ numHeads: 2, causal: true }) })
 * const y = block.predict(tf.randomNormal([1, 10, 32])) as tf.Tensor
 * console.log(y.shape) // [1, 10, 32]
 * ```
 */
export function transformerBlock(options: TransformerBlockOptions): LayersModel {
  const { dim, attention, feedForward, feedForwardDim, epsilon = 1e-5, name } = options
  const check = (holds: boolean, rule: string, received: string) => {
    if (!holds) throw new Error(`transformerBlock: ${rule}. Received ${received}.`)
  }
  check(Number.isInteger(dim) && dim > 0, '`dim` must be a positive integer', `dim=${dim}`)
  check(
    feedForward === undefined || feedForwardDim === undefined,
    'give `feedForward` or `feedForwardDim`, not both',
    `feedForwardDim=${feedForwardDim}`,
  )
  const x = input({ shape: [null, dim] })
  const feed =
    feedForward ??
    swiGLU({ hiddenDim: feedForwardDim ?? Math.max(8, Math.round(dim / 3) * 8), useBias: false })
  const after = (from: SymbolicTensor, layer: Layer) =>
    layers
      .add()
      .apply([
        from,
        layer.apply(rmsNormalization({ epsilon }).apply(from)) as SymbolicTensor,
      ]) as SymbolicTensor
  return model({ inputs: x, outputs: after(after(x, attention), feed), name })
}
