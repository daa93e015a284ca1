/**
 * Clipping by the norm of all gradients together (Pascanu et al. 2013, arXiv 1211.5063, algorithm 1), with the scale of
 * `torch.nn.utils.clip_grad_norm_`: min(1, maxNorm / (norm + 1e-6)). Everything stays on the device.
 */
import * as tf from '@tensorflow/tfjs-core'
import { learningRateOf, setLearningRate } from './learning-rate'
import type { NamedTensor } from './named-tensor'

type Gradients = tf.NamedTensorMap | NamedTensor[]

/**
 * The op of `@tfgraft/backends`, a tfjs kernel: one call for all gradients. It is there on the backends that have it once that
 * package is loaded; core does not depend on it.
 */
const fusedKernel = 'backends/ClipByGlobalNorm'

/** The tensors scaled to a common norm of at most `maxNorm`. */
function clipTensors(tensors: tf.Tensor[], maxNorm: number): tf.Tensor[] {
  if (!tensors.length) return []
  return tf.tidy(() => {
    if (tf.getKernel(fusedKernel, tf.getBackend())) {
      // The call as `defineOp` of that package makes it: inputs by position, their names among the attributes.
      const call = { names: tensors.map((_, i) => `${i}`), attrs: { maxNorm } }
      return tf.engine().runKernel(fusedKernel, tensors as never, call as never) as unknown as tf.Tensor[]
    }
    const norm = tf.sqrt(tf.addN(tensors.map((tensor) => tf.sum(tf.square(tensor)))))
    const scale = tf.minimum(1, tf.div(maxNorm, tf.add(norm, 1e-6)))
    return tensors.map((tensor) => tf.mul(tensor, scale))
  })
}

/** Clips those gradients that are there: `minimize` passes none for a variable that the loss does not reach. */
function clipGradients(gradients: Gradients, maxNorm: number): NamedTensor[] {
  const named = Array.isArray(gradients)
    ? gradients
    : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }))
  const clipped = clipTensors(
    named.map(({ tensor }) => tensor).filter((tensor) => tensor != null),
    maxNorm,
  )
  // All entries stay, with and without gradient: tfjs optimizers find their slots by position.
  return named.map(({ name, tensor }) => ({ name, tensor: tensor == null ? tensor : clipped.shift()! }))
}

/**
 * An optimizer that clips gradients before another one applies them.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs'
 * import { ClippedOptimizer } from '@tfgraft/core'
 *
 * console.log(new ClippedOptimizer({ optimizer: tf.train.sgd(0.1), maxNorm: 1 }).maxNorm)
 * ```
 */
export class ClippedOptimizer extends tf.Optimizer {
  static get className() {
    return 'ClippedOptimizer'
  }
  /** The optimizer that takes the steps. */
  readonly optimizer: tf.Optimizer
  readonly maxNorm: number

  constructor({ optimizer, maxNorm }: { optimizer: tf.Optimizer; maxNorm: number }) {
    super()
    if (!(maxNorm > 0))
      throw new Error(`clipByGlobalNorm: \`maxNorm\` must be positive. Received maxNorm=${maxNorm}.`)
    this.optimizer = optimizer
    this.maxNorm = maxNorm
  }

  override applyGradients(gradients: Gradients): void {
    tf.tidy(() => this.optimizer.applyGradients(clipGradients(gradients, this.maxNorm)))
  }

  override get iterations(): number {
    return this.optimizer.iterations
  }

  get learningRate(): number {
    return learningRateOf(this.optimizer)
  }

  set learningRate(rate: number) {
    setLearningRate(this.optimizer, rate)
  }

  override getWeights(): Promise<NamedTensor[]> {
    return this.optimizer.getWeights()
  }

  override setWeights(weights: NamedTensor[]): Promise<void> {
    return this.optimizer.setWeights(weights)
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { optimizer, maxNorm } = this
    return { maxNorm, optimizer: { className: optimizer.getClassName(), config: optimizer.getConfig() } }
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const { className, config: inner } = config.optimizer as { className: string; config: object }
    const known = tf.serialization.SerializationMap.getMap().classNameMap[className]
    if (!known)
      throw new Error(
        `ClippedOptimizer: the inner optimizer must be a registered class. Received ${className}.`,
      )
    const [Class, fromConfig] = known
    return new cls({ ...config, optimizer: fromConfig(Class, inner as tf.serialization.ConfigDict) })
  }

  override dispose(): void {
    this.optimizer.dispose()
  }
}

/**
 * Scales gradients down so that their common L2 norm is at most `maxNorm`. Wraps any optimizer, or clips named
 * gradients, as `tf.variableGrads` returns them, in a step of your own.
 *
 * @returns For an optimizer, an optimizer that clips first. For gradients, new gradients, which the caller disposes.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs'
 * import { adamW, clipByGlobalNorm } from '@tfgraft/core'
 *
 * const optimizer = clipByGlobalNorm(adamW({ learningRate: 3e-4 }), 1)
 * const w = tf.variable(tf.tensor1d([3, 4]))
 * const { grads } = tf.variableGrads(() => tf.sum(tf.square(w)) as tf.Scalar) // [6, 8], norm 10
 * const clipped = clipByGlobalNorm(grads, 1) // [0.6, 0.8]
 * optimizer.applyGradients(clipped)
 * ```
 */
export function clipByGlobalNorm(optimizer: tf.Optimizer, maxNorm: number): ClippedOptimizer
export function clipByGlobalNorm(gradients: tf.NamedTensorMap, maxNorm: number): tf.NamedTensorMap
export function clipByGlobalNorm(
  target: tf.Optimizer | tf.NamedTensorMap,
  maxNorm: number,
): ClippedOptimizer | tf.NamedTensorMap {
  if (target instanceof tf.Optimizer) return new ClippedOptimizer({ optimizer: target, maxNorm })
  if (!(maxNorm > 0))
    throw new Error(`clipByGlobalNorm: \`maxNorm\` must be positive. Received maxNorm=${maxNorm}.`)
  return Object.fromEntries(clipGradients(target, maxNorm).map(({ name, tensor }) => [name, tensor]))
}

tf.serialization.registerClass(ClippedOptimizer, '@tfgraft/core')
