/**
 * Differential attention, version 2: twice the query heads on the keys and values of a plain attention, and a lambda per
 * token and head, computed from the token.
 *
 *     lambda = sigmoid(x W_lambda),  head_h = softmax(Q_2h K' / sqrt(d)) V - lambda_h softmax(Q_2h+1 K' / sqrt(d)) V
 *
 * Microsoft, January 2026, the successor of arXiv 2410.05258. The two queries of a pair are neighbours and read the same key and
 * value head; no per-head normalisation, no lambdaInit.
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
import { type CallOptions, firstShape, firstTensor } from './layer-inputs'
import { diffAttention } from './op/diff-attention'
import { type LinearWeights, project } from './project'

export interface DifferentialAttentionV2Args extends AttentionLayerArgs {
  /** Width of one query, key or value. @default input features / numHeads */
  headDim?: number
}

/**
 * The layer made by {@link differentialAttentionV2}. Weights in order: `query_kernel` `[features, 2 numHeads headDim]`, `key_kernel`
 * `[features, numKeyValueHeads headDim]`, `value_kernel`, `output_kernel` (each followed by its bias, if it has one), `lambda_kernel`
 * `[features, numHeads]`.
 *
 * @example
 * ```ts
 * import { DifferentialAttentionV2 } from '@tfgraft/diff-attention'
 * console.log(new DifferentialAttentionV2({ numHeads: 8, numKeyValueHeads: 2 }).getConfig().numKeyValueHeads) // 2
 * ```
 */
export class DifferentialAttentionV2 extends layers.Layer {
  static get className() {
    return 'DifferentialAttentionV2'
  }

  readonly settings: AttentionSettings
  private query!: LinearWeights
  private key!: LinearWeights
  private value!: LinearWeights
  private output_!: LinearWeights
  private lambda_!: LinearWeights

  constructor(args: DifferentialAttentionV2Args) {
    super(args)
    this.supportsMasking = true
    this.settings = attentionSettings('DifferentialAttentionV2', args)
  }

  override build(inputShape: Shape | Shape[]): void {
    const [dim, contextDim] = inputWidths('DifferentialAttentionV2', inputShape)
    const { numHeads, numKeyValueHeads, useBias, outputBias } = this.settings
    const headDim = headFeatures('DifferentialAttentionV2', this.settings, dim)
    const keyFeatures = numKeyValueHeads * headDim
    const add = this.addWeight.bind(this)
    this.query = addProjection(add, 'query', [dim, 2 * numHeads * headDim], this.settings, useBias)
    this.key = addProjection(add, 'key', [contextDim, keyFeatures], this.settings, useBias)
    this.value = addProjection(add, 'value', [contextDim, keyFeatures], this.settings, useBias)
    this.output_ = addProjection(add, 'output', [numHeads * headDim, dim], this.settings, outputBias)
    this.lambda_ = addProjection(add, 'lambda', [dim, numHeads], this.settings, false)
    super.build(inputShape)
  }

  /** lambda of every token and head, `[batch, length, heads]`, in (0, 1). */
  lambda(x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => tf.sigmoid(project(x, this.lambda_)))
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
      { query: 2 * numHeads, key: numKeyValueHeads, value: numKeyValueHeads },
    )
  }

  /** @param inputs `[batch, length, features]`; or that, a context to attend to, and an additive mask, in a list. */
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallOptions = {}): tf.Tensor {
    return tf.tidy(() => {
      const { q, k, v, options } = this.sequences(inputs, kwargs)
      const heads = diffAttention(q, k, v, this.lambda(firstTensor(inputs)), options)
      return projectOutput(heads, read(this.output_))
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

tf.serialization.registerClass(DifferentialAttentionV2, '@tfgraft/diff-attention')

/**
 * A differential attention layer (version 2): `[batch, length, features]` to the same shape. It decodes at the cost of a plain
 * attention, whose keys and values it keeps.
 *
 * @param args At least `numHeads`, the number of a plain attention of equal width.
 * @throws When an option is out of range, or when the input's features do not split into heads.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { differentialAttentionV2 } from '@tfgraft/diff-attention'
 *
 * const layer = differentialAttentionV2({ numHeads: 4, numKeyValueHeads: 2, causal: true })
 * const y = layer.apply(tf.randomNormal([1, 10, 32])) as tf.Tensor
 * console.log(y.shape) // [1, 10, 32]
 * ```
 */
export const differentialAttentionV2 = (args: DifferentialAttentionV2Args) =>
  new DifferentialAttentionV2(args)
