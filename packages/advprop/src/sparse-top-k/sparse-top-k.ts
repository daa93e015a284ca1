/**
 * SparseTopK: lets through the strongest responses of each channel, over space, and silences the rest.
 *
 *     y = x where |x| >= threshold(sample, channel), else 0;      dy/dx = 1 where kept, else 0
 *
 * Paper: Li, Wen, Li, Lee, "Emergence of Shape Bias in Convolutional Neural Networks through Activation Sparsity",
 * NeurIPS 2023, arXiv 2310.18894, section 3. Reference: Crazy-Jack/nips2023_shape_vs_texture, TopKLayer.
 *
 * Differs from the reference: among equal magnitudes at the threshold the first in memory are kept (there: any);
 * `k` = 1 with `revert` drops everything (there: nothing). The conventions `'quantile'` and `'countWithTies'` are additions.
 */
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { selectLargest } from './op'
import type { Convention } from './threshold'

type LayerArgs = ConstructorParameters<typeof tfl.layers.Layer>[0]

export interface SparseTopKArgs extends NonNullable<LayerArgs> {
  /** Part of each plane to keep, in [0, 1]. */
  k: number
  /**
   * `'count'`: exactly max(1, floor(k * size)) entries, the paper's code. `'quantile'`: all entries of at least the
   * (1 - k)-quantile of the magnitudes, interpolated linearly; ties are kept. `'countWithTies'`: as `'count'`, but
   * every entry that equals the smallest kept magnitude is kept too. @default 'count'
   */
  convention?: Convention
  /** Where the channels are. A plane is all positions of one channel; of rank 2, all features. @default 'channelsLast' */
  dataFormat?: 'channelsLast' | 'channelsFirst'
  /** Silences the strongest instead, and keeps the rest. @default false */
  revert?: boolean
  /** Part of the sparse response in the output: tau sparse(x) + (1 - tau) x, in [0, 1]. @default 1 */
  tau?: number
  /** Leading tokens of `[batch, tokens, features]` that pass unchanged and take no part: 1 for a class token. @default 0 */
  classTokens?: number
}

/**
 * The layer's class; make one with {@link sparseTopKLayer}.
 *
 * @example
 * ```ts
 * import { SparseTopK } from '@tfgraft/advprop'
 *
 * const layer = new SparseTopK({ k: 0.2 })
 * console.log(layer.getClassName(), layer.k)
 * ```
 */
export class SparseTopK extends tfl.layers.Layer {
  static get className() {
    return 'SparseTopK'
  }

  readonly k: number
  readonly convention: Convention
  readonly dataFormat: 'channelsLast' | 'channelsFirst'
  readonly revert: boolean
  readonly tau: number
  readonly classTokens: number

  constructor(args: SparseTopKArgs) {
    super(args)
    const {
      k,
      convention = 'count',
      dataFormat = 'channelsLast',
      revert = false,
      tau = 1,
      classTokens = 0,
    } = args
    for (const [name, value] of Object.entries({ k, tau }))
      if (!(value >= 0 && value <= 1))
        throw new Error(`SparseTopK: \`${name}\` must be in [0, 1]. Received ${name}=${value}.`)
    if (!['quantile', 'count', 'countWithTies'].includes(convention))
      throw new Error(
        `SparseTopK: \`convention\` must be 'quantile', 'count' or 'countWithTies'. Received convention=${convention}.`,
      )
    if (dataFormat !== 'channelsLast' && dataFormat !== 'channelsFirst')
      throw new Error(
        `SparseTopK: \`dataFormat\` must be 'channelsLast' or 'channelsFirst'. Received dataFormat=${dataFormat}.`,
      )
    if (!(Number.isInteger(classTokens) && classTokens >= 0))
      throw new Error(
        `SparseTopK: \`classTokens\` must be an integer of at least 0. Received classTokens=${classTokens}.`,
      )
    this.k = k
    this.convention = convention
    this.dataFormat = dataFormat
    this.revert = revert
    this.tau = tau
    this.classTokens = classTokens
    this.supportsMasking = true
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const shape = (Array.isArray(inputShape[0]) ? inputShape[0] : inputShape) as tfl.Shape
    if (shape.length < 2 || (this.classTokens > 0 && shape.length !== 3))
      throw new Error(
        `SparseTopK: the input must be [batch, ..., channels], and [batch, tokens, features] with \`classTokens\`. ` +
          `Received inputShape=[${shape}].`,
      )
    super.build(inputShape)
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean }): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0]! : inputs
    return tf.tidy(() => {
      this.invokeCallHook(inputs, kwargs)
      if (this.classTokens === 0) return this.select(x)
      const [tokens, patches] = tf.split(x, [this.classTokens, x.shape[1]! - this.classTokens], 1)
      return tf.concat([tokens!, this.select(patches!)], 1)
    })
  }

  private select(x: tf.Tensor): tf.Tensor {
    const [batch, ...rest] = x.shape
    const size = (shape: number[]) => shape.reduce((a, b) => a * b, 1)
    // [outer, size, inner], where a plane is one outer and one inner index.
    const planes: [number, number, number] =
      x.rank === 2
        ? [batch!, rest[0]!, 1]
        : this.dataFormat === 'channelsLast'
          ? [batch!, size(rest.slice(0, -1)), rest.at(-1)!]
          : [batch! * rest[0]!, size(rest.slice(1)), 1]
    const blended = 1 - this.tau
    const factors = this.revert ? { kept: blended, dropped: 1 } : { kept: 1, dropped: blended }
    const attrs = { k: this.k, convention: this.convention, ...factors }
    return tf.reshape(selectLargest({ x: tf.reshape(x, planes) }, attrs), x.shape)
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape | tfl.Shape[] {
    return inputShape
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { k, convention, dataFormat, revert, tau, classTokens } = this
    return { ...super.getConfig(), k, convention, dataFormat, revert, tau, classTokens }
  }
}

tf.serialization.registerClass(SparseTopK, '@tfgraft/advprop')

/**
 * Keeps the `k` strongest responses of each channel and silences the rest, in training and in inference.
 *
 * Input and output: `[batch, height, width, channels]`, or any shape with a batch axis; see `dataFormat` and
 * `classTokens`. The gradient passes where the response was kept.
 *
 * @throws Error when `k`, `tau`, `convention`, `dataFormat` or `classTokens` is invalid.
 *
 * Paper: Li et al., "Emergence of Shape Bias in Convolutional Neural Networks through Activation Sparsity",
 * arXiv 2310.18894, section 3.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { sparseTopKLayer } from '@tfgraft/advprop'
 *
 * const layer = sparseTopKLayer({ k: 0.2 })
 * const y = layer.apply(tf.randomNormal([2, 8, 8, 3])) as tf.Tensor // 12 of 64 positions per channel are not zero
 * ```
 */
export function sparseTopKLayer(args: SparseTopKArgs): SparseTopK {
  return new SparseTopK(args)
}
