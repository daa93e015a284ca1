/**
 * Gated feed-forward block: y = W2 (SiLU(W1 x + b1) * (V x + b)) + b2, with SiLU(z) = z sigmoid(z).
 * Shazeer 2020, "GLU Variants Improve Transformer" (arXiv 2002.05202), equation 6.
 */
import * as tf from '@tensorflow/tfjs-core'
import { initializers, layers, type Shape } from '@tensorflow/tfjs-layers'
import { firstTensor, type LayerOptions, type Weight } from './layer-inputs'
import { gatedSiLU } from './op/gated-silu'
import { project } from './project'

export interface SwiGLUArgs extends LayerOptions {
  /** Width of the gated layer. The paper takes 8/3 of the input's to keep the parameters of a plain block. */
  hiddenDim: number
  /** Whether the three projections have biases. @default true */
  useBias?: boolean
  /** Initialiser of the three kernels. @default 'glorotUniform' */
  kernelInitializer?: InitializerIdentifier
}

type InitializerIdentifier = 'glorotUniform' | 'glorotNormal' | 'heNormal' | 'leCunNormal' | 'truncatedNormal'

const makeInitializer = (name: InitializerIdentifier) => initializers[name]({})

/**
 * The layer made by {@link swiGLU}. Weights in order: `gate_kernel` (W1), `gate_bias`, `value_kernel` (V), `value_bias`,
 * `output_kernel` (W2), `output_bias`.
 *
 * @example
 * ```ts
 * import { SwiGLU } from '@tfgraft/diff-attention'
 * console.log(new SwiGLU({ hiddenDim: 128 }).getConfig().hiddenDim)
 * ```
 */
export class SwiGLU extends layers.Layer {
  static get className() {
    return 'SwiGLU'
  }

  readonly hiddenDim: number
  readonly useBias: boolean
  readonly kernelInitializer: InitializerIdentifier
  private gate!: { kernel: Weight; bias?: Weight }
  private value!: { kernel: Weight; bias?: Weight }
  private output_!: { kernel: Weight; bias?: Weight }

  constructor(args: SwiGLUArgs) {
    super(args)
    this.hiddenDim = args.hiddenDim
    this.useBias = args.useBias ?? true
    this.kernelInitializer = args.kernelInitializer ?? 'glorotUniform'
    this.supportsMasking = true
    if (!(Number.isInteger(this.hiddenDim) && this.hiddenDim > 0))
      throw new Error(
        `SwiGLU: \`hiddenDim\` must be a positive integer. Received hiddenDim=${args.hiddenDim}.`,
      )
  }

  override build(inputShape: Shape): void {
    const dim = inputShape[inputShape.length - 1]!
    const linear = (name: string, inDim: number, outDim: number) => ({
      kernel: this.addWeight(
        `${name}_kernel`,
        [inDim, outDim],
        'float32',
        makeInitializer(this.kernelInitializer),
      ),
      bias: this.useBias
        ? this.addWeight(`${name}_bias`, [outDim], 'float32', initializers.zeros())
        : undefined,
    })
    this.gate = linear('gate', dim, this.hiddenDim)
    this.value = linear('value', dim, this.hiddenDim)
    this.output_ = linear('output', this.hiddenDim, dim)
    super.build(inputShape)
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = firstTensor(inputs)
      const gated = gatedSiLU({ g: project(x, this.gate), v: project(x, this.value) }) // [..., hiddenDim]
      return project(gated, this.output_)
    })
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return inputShape
  }

  override getConfig() {
    const { hiddenDim, useBias, kernelInitializer } = this
    return { ...super.getConfig(), hiddenDim, useBias, kernelInitializer }
  }
}

tf.serialization.registerClass(SwiGLU, '@tfgraft/diff-attention')

/**
 * A feed-forward layer with a SiLU gate: `[..., dim]` to `[..., dim]`.
 *
 * @param args `hiddenDim`, `useBias` (default true), `kernelInitializer`, and what every layer takes.
 * @throws When `hiddenDim` is not a positive integer.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { swiGLU } from '@tfgraft/diff-attention'
 *
 * const y = swiGLU({ hiddenDim: 16 }).apply(tf.ones([2, 5, 8])) as tf.Tensor
 * console.log(y.shape) // [2, 5, 8]
 * ```
 */
export const swiGLU = (args: SwiGLUArgs) => new SwiGLU(args)
