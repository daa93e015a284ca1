/**
 * Optimizer steps as ops: one pass over a variable, its gradient and its slots, instead of ten.
 *
 * Adam: Kingma and Ba, 2015, https://arxiv.org/abs/1412.6980, algorithm 1. AdamW: Loshchilov and Hutter, 2019,
 * https://arxiv.org/abs/1711.05101, algorithm 2.
 */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '../define-op/define-op'
import { kernels } from '../generated/kernels'
import type { HeapTensor } from '../heap/wasm-heap'

/** All of one shape. */
export interface AdamStepInputs {
  value: tf.Tensor
  gradient: tf.Tensor
  firstMoment: tf.Tensor
  secondMoment: tf.Tensor
}

export interface AdamStepOptions {
  learningRate: number
  beta1: number
  beta2: number
  epsilon: number
  /** 1 - beta1^t and 1 - beta2^t, for the t-th step, from 1. */
  correction1: number
  correction2: number
  /** Decoupled weight decay: the value shrinks by learningRate x weightDecay. @default 0 */
  weightDecay?: number
}

/**
 * m' = beta1 m + (1 - beta1) g; v' = beta2 v + (1 - beta2) g^2;
 * w' = (1 - learningRate weightDecay) w - learningRate (m' / correction1) / (sqrt(v' / correction2) + epsilon).
 *
 * @returns the new value, first moment and second moment.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { adamStep, useBackend } from '@tfgraft/backends'
 *
 * await useBackend('wasm')
 * const [value, firstMoment, secondMoment] = [tf.ones([3]), tf.zeros([3]), tf.zeros([3])]
 * const options = { learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, correction1: 0.1, correction2: 0.001 }
 * const [next] = adamStep({ value, gradient: tf.tensor1d([1, -2, 3]), firstMoment, secondMoment }, options)
 * next.print() // [0.9, 1.1, 0.9]
 * ```
 */
export const adamStep = defineOp<AdamStepInputs, AdamStepOptions, [tf.Tensor, tf.Tensor, tf.Tensor]>({
  name: 'backends/AdamStep',
  reference: ({ value, gradient, firstMoment, secondMoment }, options) => {
    const { learningRate, beta1, beta2, epsilon, correction1, correction2, weightDecay = 0 } = options
    const first = tf.add(tf.mul(firstMoment, beta1), tf.mul(gradient, 1 - beta1))
    const second = tf.add(tf.mul(secondMoment, beta2), tf.mul(tf.square(gradient), 1 - beta2))
    const size = tf.add(tf.sqrt(tf.div(second, correction2)), epsilon)
    const step = tf.div(tf.mul(first, learningRate / correction1), size)
    return [tf.sub(tf.mul(value, 1 - learningRate * weightDecay), step), first, second]
  },
  kernels: {
    wasm: ({ heap, inputs: { value, gradient, firstMoment, secondMoment }, attrs }) => {
      const { learningRate, beta1, beta2, epsilon, correction1, correction2, weightDecay = 0 } = attrs
      const outputs = [0, 1, 2].map(() => heap.output(value.shape)) as [HeapTensor, HeapTensor, HeapTensor]
      const [w, g, m, v] = [value, gradient, firstMoment, secondMoment].map(heap.pointer) as Four
      const [newW, newM, newV] = outputs.map(({ pointer }) => pointer) as Three
      heap.parallelFor(kernels, 'adamStep', {
        ...{ length: value.size, cost: costs.adam, multiple: 16 },
        parameters: (start, count) => [
          ...([w + start * 4, g + start * 4, m + start * 4, v + start * 4] as const),
          ...([newW + start * 4, newM + start * 4, newV + start * 4, count] as const),
          ...([learningRate / correction1, beta1, beta2, 1 / correction2, epsilon] as const),
          1 - learningRate * weightDecay,
        ],
      })
      return outputs
    },
  },
})

/** Nanoseconds of an element: of seven, five and three arrays. */
const costs = { adam: 1, momentum: 0.6, sgd: 0.3 }

type Three = [number, number, number]
type Four = [number, number, number, number]

/** All of one shape. */
export interface MomentumStepInputs {
  value: tf.Tensor
  gradient: tf.Tensor
  accumulation: tf.Tensor
}

export interface MomentumStepOptions {
  learningRate: number
  momentum: number
  /** @default false */
  nesterov?: boolean
}

/**
 * a' = momentum a + g; w' = w - learningRate a', or w - learningRate (g + momentum a') with `nesterov`.
 *
 * @returns the new value and accumulation.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { momentumStep } from '@tfgraft/backends'
 *
 * const [value, accumulation] = [tf.ones([2]), tf.zeros([2])]
 * const [next] = momentumStep({ value, gradient: tf.ones([2]), accumulation }, { learningRate: 0.1, momentum: 0.9 })
 * next.print() // [0.9, 0.9]
 * ```
 */
export const momentumStep = defineOp<MomentumStepInputs, MomentumStepOptions, [tf.Tensor, tf.Tensor]>({
  name: 'backends/MomentumStep',
  reference: ({ value, gradient, accumulation }, { learningRate, momentum, nesterov }) => {
    const next = tf.add(tf.mul(accumulation, momentum), gradient)
    const step = nesterov ? tf.add(gradient, tf.mul(next, momentum)) : next
    return [tf.sub(value, tf.mul(step, learningRate)), next]
  },
  kernels: {
    wasm: ({ heap, inputs: { value, gradient, accumulation }, attrs }) => {
      const { learningRate, momentum, nesterov } = attrs
      const [next, sum] = [heap.output(value.shape), heap.output(value.shape)]
      const [w, g, a] = [value, gradient, accumulation].map(heap.pointer) as Three
      heap.parallelFor(kernels, 'momentumStep', {
        ...{ length: value.size, cost: costs.momentum, multiple: 16 },
        parameters: (start, count) => [
          ...([w + start * 4, g + start * 4, a + start * 4] as const),
          ...([next.pointer + start * 4, sum.pointer + start * 4, count] as const),
          ...([learningRate, momentum, nesterov ? 1 : 0, nesterov ? momentum : 1] as const),
        ],
      })
      return [next, sum]
    },
  },
})

/** Of one shape. */
export interface SgdStepInputs {
  value: tf.Tensor
  gradient: tf.Tensor
}

export interface SgdStepOptions {
  learningRate: number
}

/**
 * w' = w - learningRate g.
 *
 * @returns the new value.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { sgdStep } from '@tfgraft/backends'
 *
 * sgdStep({ value: tf.ones([2]), gradient: tf.tensor1d([1, -2]) }, { learningRate: 0.1 }).print() // [0.9, 1.2]
 * ```
 */
export const sgdStep = defineOp<SgdStepInputs, SgdStepOptions, tf.Tensor>({
  name: 'backends/SgdStep',
  reference: ({ value, gradient }, { learningRate }) => tf.sub(value, tf.mul(gradient, learningRate)),
  kernels: {
    wasm: ({ heap, inputs: { value, gradient }, attrs: { learningRate } }) => {
      const next = heap.output(value.shape)
      const [w, g] = [value, gradient].map(heap.pointer) as [number, number]
      heap.parallelFor(kernels, 'sgdStep', {
        ...{ length: value.size, cost: costs.sgd, multiple: 16 },
        parameters: (start, count) => [
          ...([w + start * 4, g + start * 4, next.pointer + start * 4, count, learningRate] as const),
        ],
      })
      return next
    },
  },
})
