/**
 * Rotary position embedding: feature pairs of a query or key are rotated by position * base^(-2i / width), so that dot
 * products depend on distances only. Su et al. 2021, "RoFormer" (arXiv 2104.09864), equation 15.
 *
 * Two arrangements of the pairs are in use: `interleaved` (2i, 2i+1), of the paper and of Microsoft's differential
 * transformer, and `half-split` (i, i + width/2), of Llama and DiffLlama.
 */
import * as tf from '@tensorflow/tfjs-core'
import { layers, type Shape } from '@tensorflow/tfjs-layers'
import { type CallOptions, firstTensor, type LayerOptions } from './layer-inputs'
import { type RotaryStyle, rotaryOp } from './op/rotary'

export interface RotaryOptions {
  /** Which features form a pair. @default 'interleaved' */
  style?: RotaryStyle
  /** Largest wavelength divided by 2 pi. @default 10000 */
  base?: number
  /** Position of the first element of the sequence. @default 0 */
  offset?: number
}

/** Rotates `x`, `[batch, length, heads, width]`, by its positions. */
export function applyRotary(x: tf.Tensor, options: RotaryOptions = {}): tf.Tensor {
  const { style = 'interleaved', base = 10000, offset = 0 } = options
  return rotaryOp({ x }, { style, base, offset, direction: 1 })
}

export interface RotaryEmbeddingArgs extends LayerOptions, RotaryOptions {}

/**
 * The layer made by {@link rotaryEmbedding}.
 *
 * @example
 * ```ts
 * import { RotaryEmbedding } from '@tfgraft/diff-attention'
 * console.log(new RotaryEmbedding({ style: 'half-split' }).getConfig().style)
 * ```
 */
export class RotaryEmbedding extends layers.Layer {
  static get className() {
    return 'RotaryEmbedding'
  }

  readonly style: RotaryStyle
  readonly base: number
  readonly offset: number

  constructor(args: RotaryEmbeddingArgs = {}) {
    super(args)
    this.style = args.style ?? 'interleaved'
    this.base = args.base ?? 10000
    this.offset = args.offset ?? 0
    this.supportsMasking = true
    if (this.style !== 'interleaved' && this.style !== 'half-split')
      throw new Error(
        `RotaryEmbedding: \`style\` must be 'interleaved' or 'half-split'. Received style=${this.style}.`,
      )
    if (!(this.base > 0))
      throw new Error(`RotaryEmbedding: \`base\` must be positive. Received base=${args.base}.`)
    if (!(Number.isInteger(this.offset) && this.offset >= 0))
      throw new Error(
        `RotaryEmbedding: \`offset\` must be an integer of at least 0. Received offset=${args.offset}.`,
      )
  }

  override build(inputShape: Shape): void {
    const width = inputShape[3]
    if (inputShape.length !== 4 || typeof width !== 'number' || width % 2 !== 0)
      throw new Error(
        `RotaryEmbedding: \`input\` must be [batch, length, heads, an even width]. Received shape=[${inputShape}].`,
      )
    super.build(inputShape)
  }

  override call(inputs: tf.Tensor | tf.Tensor[], _options?: CallOptions): tf.Tensor {
    return applyRotary(firstTensor(inputs), { style: this.style, base: this.base, offset: this.offset })
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return inputShape
  }

  override getConfig() {
    const { style, base, offset } = this
    return { ...super.getConfig(), style, base, offset }
  }
}

tf.serialization.registerClass(RotaryEmbedding, '@tfgraft/diff-attention')

/**
 * A layer that rotates `[batch, length, heads, width]` by position. The attention layers of this package do it
 * themselves when their option `rotary` says so.
 *
 * @param args `style` (default 'interleaved'), `base` (default 10000), `offset` (default 0), and what every layer takes.
 * @throws When an option is out of range, and at build when the width is odd.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { rotaryEmbedding } from '@tfgraft/diff-attention'
 *
 * const y = rotaryEmbedding({ style: 'half-split' }).apply(tf.ones([1, 3, 2, 4])) as tf.Tensor
 * console.log(y.shape) // [1, 3, 2, 4]
 * ```
 */
export const rotaryEmbedding = (args: RotaryEmbeddingArgs = {}) => new RotaryEmbedding(args)
