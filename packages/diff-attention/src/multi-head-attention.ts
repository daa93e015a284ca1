/**
 * Multi-head attention: O = concat_h(softmax(Q_h K_h' / sqrt(d)) V_h) W_O. The baseline of the differential layers, on the same
 * kernels. Vaswani et al. 2017, "Attention Is All You Need" (arXiv 1706.03762), section 3.2.2; grouped heads: Ainslie et al. 2023
 * (arXiv 2305.13245).
 */
import * as tf from '@tensorflow/tfjs-core'
import { layers, type Shape } from '@tensorflow/tfjs-layers'
import {
  type AttentionLayerArgs,
  type AttentionSettings,
  addProjection,
  attentionSettings,
  headFeatures,
  inputWidths,
  projectOutput,
  projectSequences,
  queryMask,
  read,
  type Sequences,
  settingsConfig,
} from './attention-layer'
import { type CallOptions, firstShape } from './layer-inputs'
import { scaledDotProductAttention } from './op/diff-attention'
import type { LinearWeights } from './project'

export interface MultiHeadAttentionArgs extends AttentionLayerArgs {
  /** Width of one query, key or value. @default input features / numHeads */
  headDim?: number
}

/**
 * The layer made by {@link multiHeadAttention}. Weights in order: `query_kernel` `[features, numHeads headDim]`, `key_kernel`,
 * `value_kernel`, `output_kernel`, each followed by its bias, if it has one.
 *
 * @example
 * ```ts
 * import { MultiHeadAttention } from '@tfgraft/diff-attention'
 * console.log(new MultiHeadAttention({ numHeads: 4 }).settings.numKeyValueHeads) // 4
 * ```
 */
export class MultiHeadAttention extends layers.Layer {
  /** tfjs-layers has an unexported class named `MultiHeadAttention`. */
  static get className() {
    return 'TfgraftMultiHeadAttention'
  }

  readonly settings: AttentionSettings
  private query!: LinearWeights
  private key!: LinearWeights
  private value!: LinearWeights
  private output_!: LinearWeights

  constructor(args: MultiHeadAttentionArgs) {
    super(args)
    this.supportsMasking = true
    this.settings = attentionSettings('MultiHeadAttention', args)
  }

  override build(inputShape: Shape | Shape[]): void {
    const [dim, contextDim] = inputWidths('MultiHeadAttention', inputShape)
    const { numHeads, numKeyValueHeads, useBias, outputBias } = this.settings
    const headDim = headFeatures('MultiHeadAttention', this.settings, dim)
    const add = this.addWeight.bind(this)
    this.query = addProjection(add, 'query', [dim, numHeads * headDim], this.settings, useBias)
    this.key = addProjection(add, 'key', [contextDim, numKeyValueHeads * headDim], this.settings, useBias)
    this.value = addProjection(add, 'value', [contextDim, numKeyValueHeads * headDim], this.settings, useBias)
    this.output_ = addProjection(add, 'output', [numHeads * headDim, dim], this.settings, outputBias)
    super.build(inputShape)
  }

  /** Queries, keys, values and masks of one call, rotated: what the op gets. */
  sequences(inputs: tf.Tensor | tf.Tensor[], kwargs: CallOptions = {}): Sequences {
    const { numHeads, numKeyValueHeads } = this.settings
    return projectSequences(
      this,
      inputs,
      kwargs,
      this.settings,
      { query: read(this.query), key: read(this.key), value: read(this.value) },
      { query: numHeads, key: numKeyValueHeads, value: numKeyValueHeads },
    )
  }

  /** @param inputs `[batch, length, features]`; or that, a context to attend to, and an additive mask, in a list. */
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallOptions = {}): tf.Tensor {
    return tf.tidy(() => {
      const { q, k, v, options } = this.sequences(inputs, kwargs)
      return projectOutput(scaledDotProductAttention(q, k, v, options), read(this.output_))
    })
  }

  override computeMask(_inputs: tf.Tensor | tf.Tensor[], mask?: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return queryMask(mask) as tf.Tensor
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return firstShape(inputShape)
  }

  override getConfig() {
    return { ...super.getConfig(), ...settingsConfig(this.settings) }
  }
}

tf.serialization.registerClass(MultiHeadAttention, '@tfgraft/diff-attention')

/**
 * A multi-head attention layer: `[batch, length, features]` to the same shape.
 *
 * @param args At least `numHeads`.
 * @throws When an option is out of range, or when the input's features do not split into heads.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { multiHeadAttention } from '@tfgraft/diff-attention'
 *
 * const y = multiHeadAttention({ numHeads: 4, numKeyValueHeads: 2, causal: true }).apply(tf.randomNormal([1, 10, 32])) as tf.Tensor
 * console.log(y.shape) // [1, 10, 32]
 * ```
 */
export const multiHeadAttention = (args: MultiHeadAttentionArgs) => new MultiHeadAttention(args)
