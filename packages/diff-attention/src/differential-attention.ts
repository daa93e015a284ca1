/**
 * Differential attention, version 1: each head subtracts a second attention map from its first, which cancels the
 * attention that both spend on irrelevant context.
 *
 *     lambda = exp(lq1 . lk1) - exp(lq2 . lk2) + lambdaInit                                         (equation 2)
 *     head_h = (1 - lambdaInit) RMSNorm((softmax(Q1 K1' / sqrt(d)) - lambda softmax(Q2 K2' / sqrt(d))) V)   (1, 3)
 *     output = concat(head_1 .. head_H) W_O                                                          (3)
 *
 * Ye, Dong, Xia, Sun, Zhu, Huang, Wei 2024, "Differential Transformer", arXiv 2410.05258.
 * References: Microsoft unilm Diff-Transformer, Hugging Face DiffLlama.
 *
 * Differs from them:
 * - `mask` and `causal` combine; Microsoft's module lets an explicit mask replace causality.
 * - grouped heads follow the flash modules' key heads, the naive module's are `keyMapping: 'naive-compat'`.
 * - a query that sees no key yields the bias of the output projection, not NaN.
 */
import * as tf from '@tensorflow/tfjs-core'
import { initializers, layers, type Shape } from '@tensorflow/tfjs-layers'
import {
  type AttentionLayerArgs,
  type AttentionSettings,
  addProjection,
  attentionSettings,
  inputWidths,
  type Projection,
  projectOutput,
  projectSequences,
  queryMask,
  read,
  type Sequences,
  settingsConfig,
} from './attention-layer'
import { lambdaInit } from './lambda-init'
import { type CallOptions, firstShape, type Weight } from './layer-inputs'
import { diffAttention } from './op/diff-attention'
import type { KeyMapping } from './op/options'
import type { LinearWeights } from './project'
import { rmsNorm } from './rms-normalization'

/** How the columns of the query, key and value projections make pairs. */
export type HeadPairing = 'interleaved' | 'halves' | 'within-head'

export interface DifferentialAttentionArgs extends AttentionLayerArgs {
  /** Width of one query or key of one map. @default input features / numHeads / 2 */
  headDim?: number
  /** Width of one value. @default 2 headDim */
  valueDim?: number
  /** Index of the layer in its model, from 0: sets lambdaInit = 0.8 - 0.6 exp(-0.3 depth). @default 0 */
  depth?: number
  /** A constant instead, in [0, 1]. Excludes `depth`. */
  lambdaInit?: number
  /** Standard deviation of the four lambda vectors at the start. @default 0.1 */
  lambdaStddev?: number
  /**
   * Which features make a pair. `interleaved`: head h has map heads 2h and 2h + 1 (Microsoft). `halves`: map heads h and
   * h + H, for queries, keys and the two halves of the values (Hugging Face DiffLlama). `within-head`: the two halves of the
   * features of head h; the same columns as `interleaved`, by another description. @default 'interleaved'
   */
  pairing?: HeadPairing
  /** Which keys the heads of a group read, see {@link KeyMapping}. @default 'flash' */
  keyMapping?: KeyMapping
  /** Whether each head is normalised and scaled by 1 - lambdaInit. @default true */
  normalize?: boolean
  /** Whether that normalisation learns a scale per value feature, shared by the heads. @default true */
  normAffine?: boolean
  /** Added to the mean square in that normalisation. @default 1e-5 */
  epsilon?: number
}

/** lambda = exp(lq1 . lk1) - exp(lq2 . lk2) + init, a scalar. */
export function reparameterizedLambda(
  [q1, k1, q2, k2]: readonly [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor],
  init: number,
): tf.Tensor {
  const exponent = (q: tf.Tensor, k: tf.Tensor) => tf.exp(tf.sum(tf.mul(q, k)))
  return tf.tidy(() => tf.add(tf.sub(exponent(q1, k1), exponent(q2, k2)), init))
}

/** Columns in `halves` order [2, heads, width] to pairs [heads, 2, width], for a kernel or a bias. */
function pairHalves({ kernel, bias }: Projection, heads: number): Projection {
  const paired = (x: tf.Tensor) => {
    const outDim = x.shape[x.rank - 1]!
    const rows = x.size / outDim
    const blocks = tf.reshape(x, [rows, 2, heads, outDim / heads / 2])
    return tf.reshape(tf.transpose(blocks, [0, 2, 1, 3]), x.shape)
  }
  return { kernel: paired(kernel), bias: bias && paired(bias) }
}

/**
 * The layer made by {@link differentialAttention}. Weights in order: `query_kernel` `[features, 2 numHeads headDim]`, `key_kernel`,
 * `value_kernel`, `output_kernel` (each followed by its bias, if it has one), `lambda_q1`, `lambda_k1`, `lambda_q2`, `lambda_k2`
 * `[headDim]`, `norm_gamma` `[valueDim]`.
 *
 * @example
 * ```ts
 * import { DifferentialAttention } from '@tfgraft/diff-attention'
 * console.log(new DifferentialAttention({ numHeads: 4, depth: 2 }).lambdaInit.toFixed(2)) // 0.47
 * ```
 */
export class DifferentialAttention extends layers.Layer {
  static get className() {
    return 'DifferentialAttention'
  }

  readonly settings: AttentionSettings
  /** The constant part of lambda. */
  readonly lambdaInit: number
  readonly pairing: HeadPairing
  readonly keyMapping: KeyMapping
  private readonly own: Required<
    Pick<DifferentialAttentionArgs, 'lambdaStddev' | 'normalize' | 'normAffine' | 'epsilon'>
  > & { valueDim?: number }
  private query!: LinearWeights
  private key!: LinearWeights
  private value!: LinearWeights
  private output_!: LinearWeights
  private lambdas!: [Weight, Weight, Weight, Weight]
  private gamma?: Weight

  constructor(args: DifferentialAttentionArgs) {
    super(args)
    this.supportsMasking = true
    const name = 'DifferentialAttention'
    this.settings = attentionSettings(name, args)
    this.pairing = args.pairing ?? 'interleaved'
    this.keyMapping = args.keyMapping ?? 'flash'
    this.own = {
      valueDim: args.valueDim,
      lambdaStddev: args.lambdaStddev ?? 0.1,
      normalize: args.normalize ?? true,
      normAffine: args.normAffine ?? true,
      epsilon: args.epsilon ?? 1e-5,
    }
    const fail = (rule: string, received: string) => {
      throw new Error(`${name}: ${rule}. Received ${received}.`)
    }
    if (args.depth !== undefined && args.lambdaInit !== undefined)
      fail('give `depth` or `lambdaInit`, not both', `depth=${args.depth}, lambdaInit=${args.lambdaInit}`)
    if (args.depth !== undefined && !(args.depth >= 0))
      fail('`depth` must be at least 0', `depth=${args.depth}`)
    if (args.lambdaInit !== undefined && !(args.lambdaInit >= 0 && args.lambdaInit <= 1))
      fail('`lambdaInit` must be in [0, 1]', `lambdaInit=${args.lambdaInit}`)
    if (!(this.own.lambdaStddev >= 0))
      fail('`lambdaStddev` must be at least 0', `lambdaStddev=${args.lambdaStddev}`)
    if (!(this.own.epsilon > 0)) fail('`epsilon` must be positive', `epsilon=${args.epsilon}`)
    if (!['interleaved', 'halves', 'within-head'].includes(this.pairing))
      fail("`pairing` must be 'interleaved', 'halves' or 'within-head'", `pairing=${args.pairing}`)
    if (!['flash', 'naive-compat'].includes(this.keyMapping))
      fail("`keyMapping` must be 'flash' or 'naive-compat'", `keyMapping=${args.keyMapping}`)
    if (args.valueDim !== undefined && !(Number.isInteger(args.valueDim) && args.valueDim > 0))
      fail('`valueDim` must be a positive integer', `valueDim=${args.valueDim}`)
    if (this.pairing === 'halves' && args.valueDim !== undefined && args.valueDim % 2 !== 0)
      fail("`valueDim` must be even with pairing 'halves'", `valueDim=${args.valueDim}`)
    this.lambdaInit = args.lambdaInit ?? lambdaInit(args.depth ?? 0)
  }

  override build(inputShape: Shape | Shape[]): void {
    const [dim, contextDim] = inputWidths('DifferentialAttention', inputShape)
    const { numHeads, numKeyValueHeads, rotary, useBias, outputBias } = this.settings
    const headDim = this.settings.headDim ?? dim / numHeads / 2
    if (!Number.isInteger(headDim) || (rotary && headDim % 2 !== 0))
      throw new Error(
        `DifferentialAttention: 2 \`numHeads\` must divide the input's features${rotary ? ' into even parts' : ''}, ` +
          `or \`headDim\` must be given. Received numHeads=${numHeads}, features=${dim}.`,
      )
    const valueDim = this.own.valueDim ?? 2 * headDim
    const keyFeatures = 2 * numKeyValueHeads * headDim
    const add = this.addWeight.bind(this)
    this.query = addProjection(add, 'query', [dim, 2 * numHeads * headDim], this.settings, useBias)
    this.key = addProjection(add, 'key', [contextDim, keyFeatures], this.settings, useBias)
    this.value = addProjection(
      add,
      'value',
      [contextDim, numKeyValueHeads * valueDim],
      this.settings,
      useBias,
    )
    this.output_ = addProjection(add, 'output', [numHeads * valueDim, dim], this.settings, outputBias)
    const vector = (name: string) =>
      this.addWeight(
        `lambda_${name}`,
        [headDim],
        'float32',
        initializers.randomNormal({ mean: 0, stddev: this.own.lambdaStddev }),
      )
    this.lambdas = [vector('q1'), vector('k1'), vector('q2'), vector('k2')]
    if (this.own.normalize && this.own.normAffine)
      this.gamma = this.addWeight('norm_gamma', [valueDim], 'float32', initializers.ones())
    super.build(inputShape)
  }

  /** The current lambda, a scalar. */
  lambda(): tf.Tensor {
    const [q1, k1, q2, k2] = this.lambdas.map((w) => w.read()) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]
    return reparameterizedLambda([q1, k1, q2, k2], this.lambdaInit)
  }

  /** Queries, keys, values and masks of one call, paired and rotated: what the op gets. */
  sequences(inputs: tf.Tensor | tf.Tensor[], kwargs: CallOptions = {}): Sequences {
    const { numHeads, numKeyValueHeads } = this.settings
    const paired = (weights: LinearWeights, heads: number) =>
      this.pairing === 'halves' ? pairHalves(read(weights), heads) : read(weights)
    const sequences = projectSequences(
      this,
      inputs,
      kwargs,
      this.settings,
      {
        query: paired(this.query, numHeads),
        key: paired(this.key, numKeyValueHeads),
        value: paired(this.value, numKeyValueHeads),
      },
      { query: 2 * numHeads, key: 2 * numKeyValueHeads, value: numKeyValueHeads },
    )
    sequences.options.keyMapping = this.keyMapping
    return sequences
  }

  /** @param inputs `[batch, length, features]`; or that, a context to attend to, and an additive mask, in a list. */
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallOptions = {}): tf.Tensor {
    return tf.tidy(() => {
      const { q, k, v, options } = this.sequences(inputs, kwargs)
      let heads = diffAttention(q, k, v, this.lambda(), options) // [batch, length, heads, valueDim]
      if (this.own.normalize)
        heads = tf.mul(rmsNorm(heads, this.gamma?.read(), this.own.epsilon), 1 - this.lambdaInit)
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
    const { lambdaInit, pairing, keyMapping, own } = this
    const { valueDim, ...rest } = own
    return {
      ...super.getConfig(),
      ...settingsConfig(this.settings),
      ...rest,
      ...(valueDim === undefined ? {} : { valueDim }),
      lambdaInit,
      pairing,
      keyMapping,
    }
  }
}

tf.serialization.registerClass(DifferentialAttention, '@tfgraft/diff-attention')

/**
 * A differential attention layer (version 1): `[batch, length, features]` to the same shape.
 *
 * @param args At least `numHeads`: half the heads of a plain attention of equal width and parameters.
 * @throws When an option is out of range, or when the input's features do not split into heads.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { differentialAttention } from '@tfgraft/diff-attention'
 *
 * const layer = differentialAttention({ numHeads: 2, causal: true, rotary: 'interleaved', depth: 0 })
 * const y = layer.apply(tf.randomNormal([1, 10, 32])) as tf.Tensor
 * console.log(y.shape) // [1, 10, 32]
 * ```
 */
export const differentialAttention = (args: DifferentialAttentionArgs) => new DifferentialAttention(args)
