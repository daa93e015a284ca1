/**
 * Root-mean-square normalisation: y = x / sqrt(mean(x^2) + epsilon) * gamma, over the last axis.
 * Zhang and Sennrich 2019, "Root Mean Square Layer Normalization" (arXiv 1910.07467), equation 4.
 */
import * as tf from '@tensorflow/tfjs-core'
import { initializers, layers, type Shape } from '@tensorflow/tfjs-layers'
import { rmsNorm as fusedRmsNorm } from '@tfgraft/backends'
import { firstTensor, type LayerOptions, type Weight } from './layer-inputs'

export interface RMSNormalizationArgs extends LayerOptions {
  /** Added to the mean square. @default 1e-5 */
  epsilon?: number
  /** Whether to learn a scale per feature, initially 1. @default true */
  affine?: boolean
}

/**
 * Normalises the last axis by its root mean square.
 *
 * @param x `[..., features]`
 * @param gamma `[features]`, or nothing for no scale.
 */
export function rmsNorm(x: tf.Tensor, gamma?: tf.Tensor, epsilon = 1e-5): tf.Tensor {
  return tf.tidy(() => fusedRmsNorm(x, gamma ?? tf.ones([x.shape[x.rank - 1]!]), epsilon))
}

/**
 * The layer made by {@link rmsNormalization}.
 *
 * @example
 * ```ts
 * import { RMSNormalization } from '@tfgraft/diff-attention'
 * console.log(new RMSNormalization({ epsilon: 1e-6 }).getConfig().epsilon)
 * ```
 */
export class RMSNormalization extends layers.Layer {
  static get className() {
    return 'RMSNormalization'
  }

  readonly epsilon: number
  readonly affine: boolean
  private gamma?: Weight

  constructor(args: RMSNormalizationArgs = {}) {
    super(args)
    this.epsilon = args.epsilon ?? 1e-5
    this.affine = args.affine ?? true
    this.supportsMasking = true
    if (!(this.epsilon > 0))
      throw new Error(`RMSNormalization: \`epsilon\` must be positive. Received epsilon=${args.epsilon}.`)
  }

  override build(inputShape: Shape): void {
    const features = inputShape[inputShape.length - 1]!
    if (this.affine) this.gamma = this.addWeight('gamma', [features], 'float32', initializers.ones())
    super.build(inputShape)
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return rmsNorm(firstTensor(inputs), this.gamma?.read(), this.epsilon)
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return inputShape
  }

  override getConfig() {
    return { ...super.getConfig(), epsilon: this.epsilon, affine: this.affine }
  }
}

tf.serialization.registerClass(RMSNormalization, '@tfgraft/diff-attention')

/**
 * A layer that divides the last axis by its root mean square and scales it by a learned gamma.
 *
 * @param args `epsilon` (default 1e-5), `affine` (default true), and what every layer takes.
 * @throws When `epsilon` is not positive.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { rmsNormalization } from '@tfgraft/diff-attention'
 *
 * const y = rmsNormalization().apply(tf.tensor2d([[3, 4]])) as tf.Tensor
 * y.print() // [[0.85, 1.13]]
 * ```
 */
export const rmsNormalization = (args: RMSNormalizationArgs = {}) => new RMSNormalization(args)
