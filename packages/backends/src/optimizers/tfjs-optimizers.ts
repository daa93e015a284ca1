/**
 * tfjs's own Adam, Momentum and SGD with the arithmetic of a step in one op per variable. State, names, saving and loading
 * stay as they are: only `applyGradients` changes, and only while the backend is wasm.
 */
import * as tf from '@tensorflow/tfjs-core'
import { isFused } from '../training-kernels/fusion'
import { adamStep, momentumStep, sgdStep } from './steps'

/** As tfjs passes them. */
type Gradients = Record<string, tf.Tensor> | { name: string; tensor: tf.Tensor }[]

interface Slot {
  originalName: string
  variable: tf.Variable
}

/** What we use of tfjs's private fields. */
interface Adam {
  learningRate: number
  beta1: number
  beta2: number
  epsilon: number
  /** beta1^t and beta2^t of the coming step. */
  accBeta1: tf.Variable
  accBeta2: tf.Variable
  accumulatedFirstMoment: Slot[]
  accumulatedSecondMoment: Slot[]
  incrementIterations(): void
}

interface Momentum {
  learningRate: number
  momentum: number
  useNesterov: boolean
  accumulations: Slot[]
  incrementIterations(): void
}

interface Sgd {
  learningRate: number
  incrementIterations(): void
}

function forEachVariable(
  gradients: Gradients,
  step: (value: tf.Variable, gradient: tf.Tensor | null, index: number) => void,
) {
  const entries = Array.isArray(gradients)
    ? gradients.map(({ name, tensor }) => [name, tensor] as const)
    : Object.entries(gradients)
  entries.forEach(([name, gradient], i) => {
    const value = tf.engine().registeredVariables[name] as tf.Variable
    tf.tidy(() => step(value, gradient, i))
  })
}

/** The slot of the i-th variable, zeros at first. */
function slotOf(slots: Slot[], i: number, originalName: string, value: tf.Variable): tf.Variable {
  slots[i] ??= { originalName, variable: tf.variable(tf.zerosLike(value), false) }
  return slots[i]!.variable
}

function applyAdam(this: Adam, gradients: Gradients): void {
  const { learningRate, beta1, beta2, epsilon } = this
  const [power1, power2] = [this.accBeta1, this.accBeta2].map((power) => power.dataSync()[0]!)
  const options = {
    ...{ learningRate, beta1, beta2, epsilon },
    correction1: 1 - power1!,
    correction2: 1 - power2!,
  }
  forEachVariable(gradients, (value, gradient, i) => {
    const first = slotOf(this.accumulatedFirstMoment, i, `${value.name}/m`, value)
    const second = slotOf(this.accumulatedSecondMoment, i, `${value.name}/v`, value)
    if (!gradient) return
    const inputs = { value, gradient, firstMoment: first, secondMoment: second }
    const [newValue, newFirst, newSecond] = adamStep(inputs, options)
    first.assign(newFirst)
    second.assign(newSecond)
    value.assign(newValue)
  })
  tf.tidy(() => {
    this.accBeta1.assign(tf.mul(this.accBeta1, beta1))
    this.accBeta2.assign(tf.mul(this.accBeta2, beta2))
  })
  this.incrementIterations()
}

function applyMomentum(this: Momentum, gradients: Gradients): void {
  const { learningRate, momentum, useNesterov: nesterov } = this
  forEachVariable(gradients, (value, gradient, i) => {
    const accumulation = slotOf(this.accumulations, i, `${value.name}/momentum`, value)
    if (!gradient) return
    const [newValue, next] = momentumStep(
      { value, gradient, accumulation },
      { learningRate, momentum, nesterov },
    )
    accumulation.assign(next)
    value.assign(newValue)
  })
  this.incrementIterations()
}

function applySgd(this: Sgd, gradients: Gradients): void {
  const { learningRate } = this
  forEachVariable(gradients, (value, gradient) => {
    if (gradient) value.assign(sgdStep({ value, gradient }, { learningRate }))
  })
  this.incrementIterations()
}

const accelerated = new WeakSet<object>()

function accelerate<Fields>(prototype: object, apply: (this: Fields, gradients: Gradients) => void): void {
  if (accelerated.has(prototype)) return
  accelerated.add(prototype)
  const optimizer = prototype as { applyGradients(gradients: Gradients): void }
  const stock = optimizer.applyGradients
  optimizer.applyGradients = function (this: Fields, gradients) {
    if (isFused()) apply.call(this, gradients)
    else stock.call(this as never, gradients)
  } as typeof stock
}

/** Makes `tf.train.adam`, `tf.train.momentum` and `tf.train.sgd` update each variable in one pass on wasm. */
export function accelerateOptimizers(): void {
  accelerate<Adam>(tf.AdamOptimizer.prototype, applyAdam)
  accelerate<Momentum>(tf.MomentumOptimizer.prototype, applyMomentum)
  accelerate<Sgd>(tf.SGDOptimizer.prototype, applySgd)
}
