/**
 * AdamW: Adam with decoupled weight decay.
 *
 * Paper: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization" (arXiv 1711.05101), algorithm 2.
 * Reference: `torch.optim.AdamW`, whose order of operations this follows, with t counted per variable from 1:
 *
 *   p = p (1 - lr wd)
 *   m = b1 m + (1 - b1) g            v = b2 v + (1 - b2) g^2
 *   p = p - lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + eps)
 *
 * Differs from the paper: decay is scaled by the learning rate itself, as in PyTorch, not by the schedule alone.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { NamedTensor } from './named-tensor'
import type { Schedule } from './schedules'

export interface AdamWOptions {
  /** A rate, or a schedule of the optimizer step. @default 0.001 */
  learningRate?: number | Schedule
  /** Decay rate of the first moment, in [0, 1). @default 0.9 */
  beta1?: number
  /** Decay rate of the second moment, in [0, 1). @default 0.999 */
  beta2?: number
  /** Added to the root of the second moment. @default 1e-8 */
  epsilon?: number
  /** Decoupled weight decay, not negative. @default 0.01 */
  weightDecay?: number
  /**
   * Which variables decay: all, those of rank 2 and more (no biases, no normalisation), or those for which the function
   * of name and shape says so. @default 'all'
   */
  decays?: 'all' | 'matrices' | ((name: string, shape: readonly number[]) => boolean)
}

/** What AdamW remembers about one variable. */
interface Slot {
  first: tf.Variable
  second: tf.Variable
  /** Steps taken: a variable that is unfrozen later starts its own bias correction. */
  steps: number
}

type Hyperparameters = Required<Pick<AdamWOptions, 'beta1' | 'beta2' | 'epsilon' | 'weightDecay'>>

/**
 * The fused step of `@tfgraft/backends`, a tfjs kernel: one pass over a variable instead of thirteen. It is there on the
 * backends that have it once that package is loaded; core does not depend on it.
 */
const fusedKernel = 'backends/AdamStep'
const fusedInputs = ['value', 'gradient', 'firstMoment', 'secondMoment']

/** New value, first and second moment of a variable, for step t from 1. */
function nextValues(
  variable: tf.Variable,
  gradient: tf.Tensor,
  { first, second }: Slot,
  t: number,
  learningRate: number,
  { beta1, beta2, epsilon, weightDecay }: Hyperparameters,
): [tf.Tensor, tf.Tensor, tf.Tensor] {
  const [correction1, correction2] = [1 - beta1 ** t, 1 - beta2 ** t]
  if (tf.getKernel(fusedKernel, tf.getBackend())) {
    const attrs = { learningRate, beta1, beta2, epsilon, weightDecay, correction1, correction2 }
    const inputs = [variable, gradient, first, second]
    // The call as `defineOp` of that package makes it: inputs by position, their names among the attributes.
    return tf.engine().runKernel(fusedKernel, inputs as never, { names: fusedInputs, attrs } as never)
  }
  const m = tf.add(tf.mul(first, beta1), tf.mul(gradient, 1 - beta1))
  const v = tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), 1 - beta2))
  // Both sides of the division times the root of correction2, which saves a pass over the variable.
  const root2 = Math.sqrt(correction2)
  const update = tf.mul(tf.div(m, tf.add(tf.sqrt(v), epsilon * root2)), (learningRate * root2) / correction1)
  const decayed = weightDecay ? tf.mul(variable, 1 - learningRate * weightDecay) : variable
  return [tf.sub(decayed, update), m, v]
}

/** One step for one variable, at the given rate. Updates the slot and the variable. */
function stepVariable(
  variable: tf.Variable,
  gradient: tf.Tensor,
  slot: Slot,
  rate: number,
  hyperparameters: Hyperparameters,
): void {
  slot.steps++
  tf.tidy(() => {
    const [value, first, second] = nextValues(variable, gradient, slot, slot.steps, rate, hyperparameters)
    variable.assign(value)
    slot.first.assign(first)
    slot.second.assign(second)
  })
}

/**
 * The optimizer that {@link adamW} makes. Slots are kept by the name of their variable.
 *
 * @example
 * ```ts
 * import { AdamW } from '@tfgraft/core'
 *
 * const optimizer = new AdamW({ learningRate: 1e-3, weightDecay: 0.1, decays: 'matrices' })
 * console.log(optimizer.getConfig())
 * ```
 */
export class AdamW extends tf.Optimizer {
  static get className() {
    return 'AdamW'
  }
  /** A rate, or a schedule of the optimizer step. May be set between steps. */
  learningRate: number | Schedule
  private readonly hyperparameters: Hyperparameters
  private readonly decays: NonNullable<AdamWOptions['decays']>
  private readonly slots = new Map<string, Slot>()

  constructor({
    learningRate = 1e-3,
    beta1 = 0.9,
    beta2 = 0.999,
    epsilon = 1e-8,
    weightDecay = 0.01,
    decays = 'all',
  }: AdamWOptions = {}) {
    super()
    if (typeof learningRate !== 'function' && !(learningRate >= 0 && Number.isFinite(learningRate)))
      throw new Error(
        `AdamW: \`learningRate\` must be a schedule or a rate from 0. Received learningRate=${learningRate}.`,
      )
    for (const [name, beta] of Object.entries({ beta1, beta2 }))
      if (!(beta >= 0 && beta < 1))
        throw new Error(`AdamW: \`${name}\` must lie in [0, 1). Received ${name}=${beta}.`)
    for (const [name, value] of Object.entries({ epsilon, weightDecay }))
      if (!(value >= 0 && Number.isFinite(value)))
        throw new Error(`AdamW: \`${name}\` must be finite and not negative. Received ${name}=${value}.`)
    if (decays !== 'all' && decays !== 'matrices' && typeof decays !== 'function')
      throw new Error(`AdamW: \`decays\` must be 'all', 'matrices' or a function. Received decays=${decays}.`)
    this.learningRate = learningRate
    this.hyperparameters = { beta1, beta2, epsilon, weightDecay }
    this.decays = decays
  }

  /** The learning rate of the next step. */
  get rate(): number {
    return typeof this.learningRate === 'function' ? this.learningRate(this.iterations) : this.learningRate
  }

  override applyGradients(gradients: tf.NamedTensorMap | NamedTensor[]): void {
    const named = Array.isArray(gradients)
      ? gradients
      : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }))
    const { rate } = this
    for (const { name, tensor } of named) {
      if (tensor == null) continue
      const variable = tf.engine().registeredVariables[name]!
      const weightDecay = this.decaysVariable(name, variable.shape) ? this.hyperparameters.weightDecay : 0
      stepVariable(variable, tensor, this.slot(name, variable), rate, {
        ...this.hyperparameters,
        weightDecay,
      })
    }
    this.incrementIterations()
  }

  private decaysVariable(name: string, shape: readonly number[]): boolean {
    if (typeof this.decays === 'function') return this.decays(name, shape)
    return this.decays === 'all' || shape.length >= 2
  }

  private slot(name: string, variable: tf.Variable): Slot {
    const known = this.slots.get(name)
    if (known) return known
    const zeros = () => tf.tidy(() => tf.variable(tf.zerosLike(variable), false))
    const slot = { first: zeros(), second: zeros(), steps: 0 }
    this.slots.set(name, slot)
    return slot
  }

  /** `iter`, then `<variable>/m`, `<variable>/v` and `<variable>/t` (a count) for each variable. */
  override async getWeights(): Promise<NamedTensor[]> {
    const slots = [...this.slots].flatMap(([name, { first, second, steps }]) => [
      { name: `${name}/m`, tensor: first },
      { name: `${name}/v`, tensor: second },
      { name: `${name}/t`, tensor: tf.scalar(steps, 'int32') },
    ])
    return [await this.saveIterations(), ...slots]
  }

  override async setWeights(weights: NamedTensor[]): Promise<void> {
    const [iterations, ...values] = weights
    if (iterations?.name !== 'iter' || values.length % 3)
      throw new Error(
        `AdamW: \`setWeights\` must receive what \`getWeights\` returned. Received ${weights.map(({ name }) => name)}.`,
      )
    await this.extractIterations(weights)
    this.disposeSlots()
    for (let i = 0; i < values.length; i += 3) {
      const [first, second, steps] = values.slice(i, i + 3)
      this.slots.set(first!.name.replace(/\/m$/, ''), {
        first: tf.variable(first!.tensor, false),
        second: tf.variable(second!.tensor, false),
        steps: (await steps!.tensor.data())[0]!,
      })
    }
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { learningRate, decays } = this
    if (typeof learningRate === 'function' || typeof decays === 'function')
      throw new Error(
        'AdamW: a schedule or a function in `decays` cannot be written into a config. Save the model without its ' +
          'optimizer, or use `checkpointTo`.',
      )
    return { learningRate, ...this.hyperparameters, decays }
  }

  private disposeSlots(): void {
    for (const { first, second } of this.slots.values()) tf.dispose([first, second])
    this.slots.clear()
  }

  override dispose(): void {
    this.disposeSlots()
  }
}

/**
 * AdamW with decoupled weight decay, number for number `torch.optim.AdamW`. A plain `tf.Optimizer`: works in
 * `model.compile` too.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs'
 * import { adamW, cosineDecay } from '@tfgraft/core'
 *
 * const optimizer = adamW({
 *   learningRate: cosineDecay({ initial: 1e-3, steps: 1000 }),
 *   weightDecay: 0.1,
 *   decays: 'matrices', // not biases, not normalisation
 * })
 * const w = tf.variable(tf.ones([2, 2]))
 * optimizer.minimize(() => tf.sum(tf.square(w)) as tf.Scalar)
 * ```
 */
export function adamW(options: AdamWOptions = {}): AdamW {
  return new AdamW(options)
}

tf.serialization.registerClass(AdamW, '@tfgraft/core')
