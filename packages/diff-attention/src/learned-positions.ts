/** Learned position embedding: adds row i of a table to position i of a sequence. */
import * as tf from '@tensorflow/tfjs-core'
import { initializers, layers, type Shape } from '@tensorflow/tfjs-layers'
import { KeyValueCache } from './key-value-cache'
import { type CallOptions, firstTensor, type LayerOptions, type Weight } from './layer-inputs'

export interface LearnedPositionsArgs extends LayerOptions {
  /** Rows of the table: the longest sequence. */
  maxLength: number
}

/**
 * Adds a learned vector per position to `[batch, length, features]`. Weight: `table` `[maxLength, features]`.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { LearnedPositions } from '@tfgraft/diff-attention'
 *
 * const y = new LearnedPositions({ maxLength: 16 }).apply(tf.zeros([1, 4, 8])) as tf.Tensor
 * console.log(y.shape) // [1, 4, 8]
 * ```
 */
export class LearnedPositions extends layers.Layer {
  static get className() {
    return 'LearnedPositions'
  }

  readonly maxLength: number
  private table!: Weight

  constructor(args: LearnedPositionsArgs) {
    super(args)
    this.maxLength = args.maxLength
    this.supportsMasking = true
    if (!(Number.isInteger(this.maxLength) && this.maxLength > 0))
      throw new Error(
        `LearnedPositions: \`maxLength\` must be a positive integer. Received maxLength=${args.maxLength}.`,
      )
  }

  override build(inputShape: Shape): void {
    const init = initializers.randomUniform({ minval: -0.05, maxval: 0.05 }) // as tfjs embeddings
    this.table = this.addWeight('table', [this.maxLength, inputShape[2]!], 'float32', init)
    super.build(inputShape)
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { cache }: CallOptions = {}): tf.Tensor {
    const x = firstTensor(inputs)
    const [, length, features] = x.shape as [number, number, number]
    const from = cache instanceof KeyValueCache ? cache.length : 0
    if (from + length > this.maxLength)
      throw new Error(
        `LearnedPositions: \`length\` must be at most ${this.maxLength}. Received length=${from + length}.`,
      )
    return tf.tidy(() => tf.add(x, tf.slice(this.table.read(), [from, 0], [length, features])))
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return inputShape
  }

  override getConfig() {
    return { ...super.getConfig(), maxLength: this.maxLength }
  }
}

tf.serialization.registerClass(LearnedPositions, '@tfgraft/diff-attention')
