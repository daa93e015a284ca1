/**
 * A whole simple recurrent layer as one op, as `lstm.ts` is one: h' = activation(x K + h R + bias).
 *
 * Paper: Elman, "Finding Structure in Time", Cognitive Science, 1990, with the state fed back as in Keras.
 */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '../define-op/define-op'
import { differentiateReference } from '../define-op/differentiate-reference'
import { kernels } from '../generated/kernels'
import type { HeapTensor } from '../heap/wasm-heap'
import { multiply, productCost } from '../kernels/matmul'
import {
  type RecurrentActivation,
  recurrentActivationCodes,
  recurrentActivations,
} from './recurrent-activations'
import { bytesOf, inputGradients, sizesOf, stateBefore, weightGradient } from './recurrent-wasm'

export interface SimpleRnnInputs {
  /** [batch, time, features] */
  x: tf.Tensor
  /** [features, units] */
  kernel: tf.Tensor
  /** [units, units] */
  recurrentKernel: tf.Tensor
  /** [units] */
  bias?: tf.Tensor
  /** State before the first step, [batch, units]. */
  h: tf.Tensor
}

export interface SimpleRnnOptions {
  activation: RecurrentActivation
}

function reference(inputs: SimpleRnnInputs, { activation }: SimpleRnnOptions): tf.Tensor {
  const { x, kernel, recurrentKernel, bias } = inputs
  let { h } = inputs
  const [batch, time, features] = x.shape as [number, number, number]
  const product = tf.matMul(tf.reshape(x, [batch * time, features]), kernel)
  const sums = tf.reshape(bias ? tf.add(product, bias) : product, [batch, time, kernel.shape[1]!])
  const states = tf.unstack(sums, 1).map((sum) => {
    h = recurrentActivations[activation](tf.add(sum, tf.matMul(h, recurrentKernel)))
    return h
  })
  return tf.stack(states, 1)
}

const stepsCost = (time: number, units: number) => time * (productCost(1, units, units) + 10 * units)

/** @returns the states of all time steps, [batch, time, units]. */
export const simpleRnn = defineOp<SimpleRnnInputs, SimpleRnnOptions, tf.Tensor>({
  name: 'backends/SimpleRnn',
  reference,
  gradient: ({ dy, inputs, outputs: [states], attrs }) => {
    const [x, kernel, recurrentKernel, bias, h] = simpleRnnGradient({ ...inputs, states, dy }, attrs)
    return { x, kernel, recurrentKernel, bias, h }
  },
  kernels: {
    wasm: ({ heap, inputs, attrs }) => {
      const { batch, time, features, units } = sizesOf(inputs)
      const { x, kernel, recurrentKernel, bias, h } = inputs
      const states = heap.output([batch, time, units])
      multiply(heap, {
        ...{ transposeA: false, transposeB: false, m: batch * time, n: units, k: features },
        ...{ a: heap.pointer(x), lda: features, b: heap.pointer(kernel), ldb: units, c: states.pointer },
      })
      const [before, recurrent, biases] = [
        ...[heap.pointer(h), heap.pointer(recurrentKernel), bias ? heap.pointer(bias) : 0],
      ] as [number, number, number]
      heap.parallelFor(kernels, 'simpleRnnSteps', {
        ...{ length: batch, cost: stepsCost(time, units), multiple: 4 },
        scratch: heap.kernels(kernels).sgemmScratch(batch, units, units),
        parameters: (row, count, scratch) => [
          ...([
            recurrentActivationCodes[attrs.activation],
            states.pointer + bytesOf(row * time * units),
          ] as const),
          ...([before + bytesOf(row * units), recurrent, biases, count, time, units, scratch] as const),
        ],
      })
      return states
    },
  },
})

interface GradientInputs extends SimpleRnnInputs {
  states: tf.Tensor
  /** Gradient of the states. */
  dy: tf.Tensor
}

type Gradients<T> = [x: T, kernel: T, recurrentKernel: T, bias: T, h: T]

/** Backpropagation through time. Without a bias, the gradient of a zero bias is there all the same. */
const simpleRnnGradient = defineOp<GradientInputs, SimpleRnnOptions, Gradients<tf.Tensor>>({
  name: 'backends/SimpleRnnGradient',
  reference: ({ states: _, dy, ...given }, options) => {
    const inputs = { ...given, bias: given.bias ?? tf.zeros([given.kernel.shape[1]!]) }
    const of = differentiateReference((some: Required<SimpleRnnInputs>) => reference(some, options), inputs, [
      dy,
    ])
    return [of.x, of.kernel, of.recurrentKernel, of.bias, of.h] as Gradients<tf.Tensor>
  },
  kernels: {
    wasm: ({ heap, inputs, attrs }) => {
      const sizes = sizesOf(inputs)
      const { batch, time, units } = sizes
      const rows = batch * time
      const { x, kernel, recurrentKernel, h, states, dy } = inputs
      const outputs = [x, kernel, recurrentKernel, { shape: [units] }, h]
      const gradients = outputs.map(({ shape }) => heap.output(shape)) as Gradients<HeapTensor>
      const [dx, dKernel, dRecurrent, dBias, dh] = gradients.map(
        ({ pointer }) => pointer,
      ) as Gradients<number>
      const [allStates, dStates, before, recurrent] = [states, dy, h, recurrentKernel].map(heap.pointer) as [
        ...[number, number, number, number],
      ]
      heap.scratch(bytesOf(2 * rows * units), (dz) => {
        const hBefore = dz + bytesOf(rows * units)
        heap.parallelFor(kernels, 'simpleRnnStepsGradient', {
          ...{ length: batch, cost: stepsCost(time, units), multiple: 4 },
          scratch: heap.kernels(kernels).sgemmScratch(batch, units, units),
          parameters: (row, count, scratch) => {
            const steps = bytesOf(row * time * units)
            return [
              ...([recurrentActivationCodes[attrs.activation], allStates + steps, dStates + steps] as const),
              ...([dz + steps, dh + bytesOf(row * units), recurrent, count, time, units, scratch] as const),
            ]
          },
        })
        inputGradients(heap, inputs, { dz, width: units, dx, dKernel, dBias })
        stateBefore(heap, { to: hBefore, h: before, states: allStates, ...sizes })
        weightGradient(heap, {
          ...{ rows, units, a: hBefore, dz, width: units, from: 0, columns: units, to: dRecurrent },
        })
      })
      return gradients
    },
  },
})
