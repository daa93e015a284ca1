/**
 * A whole LSTM as one op: x K for all time steps is one product, a time step is one product and one pass over the gates, and
 * the gradients of the weights are one product each. As tfjs's layer computes it, each step is some 15 ops, and 60
 * in the gradient.
 *
 * Paper: Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997, with the forget gate of Gers et al., 2000; the weights
 * lie as in Keras.
 */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '../define-op/define-op'
import { differentiateReference } from '../define-op/differentiate-reference'
import { lstmGradientOnWasm, lstmOnWasm } from './lstm-wasm'
import { recurrentActivations } from './recurrent-activations'

export interface LstmInputs {
  /** [batch, time, features] */
  x: tf.Tensor
  /** [features, 4 units]: input gate, forget gate, candidate, output gate. */
  kernel: tf.Tensor
  /** [units, 4 units] */
  recurrentKernel: tf.Tensor
  /** [4 units] */
  bias?: tf.Tensor
  /** Hidden state before the first step, [batch, units]. */
  h: tf.Tensor
  /** Cell state before the first step, [batch, units]. */
  c: tf.Tensor
}

export interface LstmOptions {
  recurrentActivation: 'sigmoid' | 'hardSigmoid'
}

function reference(inputs: LstmInputs, { recurrentActivation }: LstmOptions): [tf.Tensor, tf.Tensor] {
  const activate = recurrentActivations[recurrentActivation]
  const { x, kernel, recurrentKernel, bias } = inputs
  let { h, c } = inputs
  const [batch, time, features] = x.shape as [number, number, number]
  const product = tf.matMul(tf.reshape(x, [batch * time, features]), kernel)
  const sums = tf.reshape(bias ? tf.add(product, bias) : product, [batch, time, kernel.shape[1]!])
  const states: tf.Tensor[] = []
  const gates: tf.Tensor[] = []
  for (const sum of tf.unstack(sums, 1)) {
    const [zi, zf, zg, zo] = tf.split(tf.add(sum, tf.matMul(h, recurrentKernel)), 4, 1) as Four
    const [input, forget, candidate, output] = [activate(zi), activate(zf), tf.tanh(zg), activate(zo)]
    c = tf.add(tf.mul(forget, c), tf.mul(input, candidate))
    h = tf.mul(output, tf.tanh(c))
    states.push(tf.concat([h, c], 1))
    gates.push(tf.concat([input, forget, candidate, output], 1))
  }
  return [tf.stack(states, 1), tf.stack(gates, 1)]
}

type Four = [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]

/**
 * @returns the states of all time steps, [batch, time, 2 units]: the hidden state, then the cell state. The second output,
 * the gates [batch, time, 4 units], is for the gradient.
 */
export const lstm = defineOp<LstmInputs, LstmOptions, [tf.Tensor, tf.Tensor]>({
  name: 'backends/Lstm',
  returns: 'first',
  reference,
  gradient: ({ dy, inputs, outputs: [states, gates], attrs }) => {
    const [x, kernel, recurrentKernel, bias, h, c] = lstmGradient({ ...inputs, states, gates, dy }, attrs)
    return { x, kernel, recurrentKernel, bias, h, c }
  },
  kernels: { wasm: lstmOnWasm },
})

export interface LstmGradientInputs extends LstmInputs {
  states: tf.Tensor
  gates: tf.Tensor
  /** Gradient of the states. */
  dy: tf.Tensor
}

export type LstmGradients = [
  ...[x: tf.Tensor, kernel: tf.Tensor, recurrentKernel: tf.Tensor],
  ...[bias: tf.Tensor, h: tf.Tensor, c: tf.Tensor],
]

/** Backpropagation through time. Without a bias, the gradient of a zero bias is there all the same. */
export const lstmGradient = defineOp<LstmGradientInputs, LstmOptions, LstmGradients>({
  name: 'backends/LstmGradient',
  reference: ({ states: _, gates: __, dy, ...given }, options) => {
    const inputs = { ...given, bias: given.bias ?? tf.zeros([given.kernel.shape[1]!]) }
    const of = differentiateReference((some: Required<LstmInputs>) => reference(some, options)[0], inputs, [
      dy,
    ])
    return [of.x, of.kernel, of.recurrentKernel, of.bias, of.h, of.c] as LstmGradients
  },
  kernels: { wasm: lstmGradientOnWasm },
})
