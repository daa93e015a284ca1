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

export type RotaryStyle = 'interleaved' | 'half-split'

export interface RotaryOptions {
  /** Which features form a pair. @default 'interleaved' */
  style?: RotaryStyle
  /** Largest wavelength divided by 2 pi. @default 10000 */
  base?: number
  /** Position of the first element of the sequence. @default 0 */
  offset?: number
}

interface Table {
  length: number
  cos: Float32Array
  sin: Float32Array
}

/** Angles are the same for every layer and step of a model: kept by width and base, grown by length. */
const tables = new Map<string, Table>()

function table(length: number, width: number, base: number): Table {
  const key = `${width}:${base}`
  const known = tables.get(key)
  if (known && known.length >= length) return known
  const half = width / 2
  const size = Math.max(length, 2 * (known?.length ?? 0))
  const grown = { length: size, cos: new Float32Array(size * half), sin: new Float32Array(size * half) }
  for (let i = 0; i < half; i++) {
    const frequency = base ** ((-2 * i) / width)
    for (let position = 0; position < size; position++) {
      grown.cos[position * half + i] = Math.cos(position * frequency)
      grown.sin[position * half + i] = Math.sin(position * frequency)
    }
  }
  tables.set(key, grown)
  return grown
}

/**
 * cos and sin of the rotation angles, `[length, width / 2]` each.
 */
export function rotaryAngles(
  length: number,
  width: number,
  base = 10000,
  offset = 0,
): [Float32Array, Float32Array] {
  const { cos, sin } = table(offset + length, width, base)
  const [from, to] = [(offset * width) / 2, ((offset + length) * width) / 2]
  return [cos.subarray(from, to), sin.subarray(from, to)]
}

function split(x: tf.Tensor, style: RotaryStyle): [tf.Tensor, tf.Tensor] {
  const [batch, length, heads, width] = x.shape as [number, number, number, number]
  const rows = batch * length * heads
  const pairs =
    style === 'interleaved' ? tf.reshape(x, [rows, width / 2, 2]) : tf.reshape(x, [rows, 2, width / 2])
  const axis = style === 'interleaved' ? 2 : 1
  return tf.split(pairs, 2, axis).map((part) => tf.reshape(part, [batch, length, heads, width / 2])) as [
    tf.Tensor,
    tf.Tensor,
  ]
}

function join(a: tf.Tensor, b: tf.Tensor, style: RotaryStyle): tf.Tensor {
  const [batch, length, heads, half] = a.shape as [number, number, number, number]
  const joined =
    style === 'interleaved'
      ? tf.concat([tf.reshape(a, [-1, 1]), tf.reshape(b, [-1, 1])], 1)
      : tf.concat([a, b], 3)
  return tf.reshape(joined, [batch, length, heads, 2 * half])
}

function rotate(
  x: tf.Tensor,
  direction: 1 | -1,
  { style = 'interleaved', base, offset }: RotaryOptions,
): tf.Tensor {
  return tf.tidy(() => {
    const [, length, , width] = x.shape as [number, number, number, number]
    const [cosines, sines] = rotaryAngles(length, width, base, offset)
    const cos = tf.tensor(cosines, [1, length, 1, width / 2])
    const sin = tf.mul(tf.tensor(sines, [1, length, 1, width / 2]), direction)
    const [a, b] = split(x, style)
    return join(tf.sub(tf.mul(a, cos), tf.mul(b, sin)), tf.add(tf.mul(a, sin), tf.mul(b, cos)), style)
  })
}

/**
 * Rotates `x`, `[batch, length, heads, width]`, by its positions. The gradient is the rotation by the negative angle.
 */
export function applyRotary(x: tf.Tensor, options: RotaryOptions = {}): tf.Tensor {
  const turn = tf.customGrad((input) => ({
    value: rotate(input as tf.Tensor, 1, options),
    gradFunc: (dy: tf.Tensor) => rotate(dy, -1, options),
  }))
  return turn(x)
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
