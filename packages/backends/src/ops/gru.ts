/**
 * A whole GRU as one op, as `lstm.ts` is one: x K for all time steps is one product, a time step two products and two passes over
 * the gates, and the gradients of the weights are a product each, or two.
 *
 * Paper: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation", 2014,
 * https://arxiv.org/abs/1406.1078, equations 5 to 8, where the reset gate is applied before the product, as tfjs computes it
 * (it rejects `resetAfter`); the weights lie as in Keras.
 */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '../define-op/define-op'
import { differentiateReference } from '../define-op/differentiate-reference'
import { gruGradientOnWasm, gruOnWasm } from './gru-wasm'
import { type RecurrentActivation, recurrentActivations } from './recurrent-activations'

export interface GruInputs {
  /** [batch, time, features] */
  x: tf.Tensor
  /** [features, 3 units]: update gate, reset gate, candidate. */
  kernel: tf.Tensor
  /** [units, 3 units] */
  recurrentKernel: tf.Tensor
  /** [3 units] */
  bias?: tf.Tensor
  /** State before the first step, [batch, units]. */
  h: tf.Tensor
}

export interface GruOptions {
  /** Of the candidate. */
  activation: RecurrentActivation
  /** Of the gates. */
  recurrentActivation: RecurrentActivation
}

type GruOutputs = [states: tf.Tensor, gates: tf.Tensor, reset: tf.Tensor]

function reference(inputs: GruInputs, { activation, recurrentActivation }: GruOptions): GruOutputs {
  const [gate, activate] = [recurrentActivations[recurrentActivation], recurrentActivations[activation]]
  const { x, kernel, recurrentKernel, bias } = inputs
  let { h } = inputs
  const units = h.shape[1]!
  const [batch, time, features] = x.shape as [number, number, number]
  const product = tf.matMul(tf.reshape(x, [batch * time, features]), kernel)
  const sums = tf.reshape(bias ? tf.add(product, bias) : product, [batch, time, 3 * units])
  const [forGates, forCandidate] = tf.split(recurrentKernel, [2 * units, units], 1) as [tf.Tensor, tf.Tensor]
  const outputs: [tf.Tensor[], tf.Tensor[], tf.Tensor[]] = [[], [], []]
  for (const sum of tf.unstack(sums, 1)) {
    const [ofGates, ofCandidate] = tf.split(sum, [2 * units, units], 1) as [tf.Tensor, tf.Tensor]
    const both = gate(tf.add(ofGates, tf.matMul(h, forGates)))
    const [update, reset] = tf.split(both, 2, 1) as [tf.Tensor, tf.Tensor]
    const kept = tf.mul(reset, h)
    const candidate = activate(tf.add(ofCandidate, tf.matMul(kept, forCandidate)))
    h = tf.add(tf.mul(update, h), tf.mul(tf.sub(1, update), candidate))
    outputs[0].push(h)
    outputs[1].push(tf.concat([both, candidate], 1))
    outputs[2].push(kept)
  }
  return outputs.map((steps) => tf.stack(steps, 1)) as GruOutputs
}

/**
 * @returns the states of all time steps, [batch, time, units]. The further outputs are for the gradient: the gates [batch, time,
 * 3 units], and the reset gate times the state before, [batch, time, units].
 */
export const gru = defineOp<GruInputs, GruOptions, GruOutputs>({
  name: 'backends/Gru',
  returns: 'first',
  reference,
  gradient: ({ dy, inputs, outputs: [states, gates, reset], attrs }) => {
    const [x, kernel, recurrentKernel, bias, h] = gruGradient({ ...inputs, states, gates, reset, dy }, attrs)
    return { x, kernel, recurrentKernel, bias, h }
  },
  kernels: { wasm: gruOnWasm },
})

export interface GruGradientInputs extends GruInputs {
  states: tf.Tensor
  gates: tf.Tensor
  reset: tf.Tensor
  /** Gradient of the states. */
  dy: tf.Tensor
}

export type GruGradients = [
  ...[x: tf.Tensor, kernel: tf.Tensor, recurrentKernel: tf.Tensor],
  ...[bias: tf.Tensor, h: tf.Tensor],
]

/** Backpropagation through time. Without a bias, the gradient of a zero bias is there all the same. */
export const gruGradient = defineOp<GruGradientInputs, GruOptions, GruGradients>({
  name: 'backends/GruGradient',
  reference: ({ states: _, gates: __, reset: ___, dy, ...given }, options) => {
    const inputs = { ...given, bias: given.bias ?? tf.zeros([given.kernel.shape[1]!]) }
    const of = differentiateReference((some: Required<GruInputs>) => reference(some, options)[0], inputs, [
      dy,
    ])
    return [of.x, of.kernel, of.recurrentKernel, of.bias, of.h] as GruGradients
  },
  kernels: { wasm: gruGradientOnWasm },
})
