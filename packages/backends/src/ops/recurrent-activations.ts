/** The activations of tfjs's recurrent layers that ops of whole layers cover, by the names of tfjs. */
import * as tf from '@tensorflow/tfjs-core'

export type RecurrentActivation = 'tanh' | 'relu' | 'sigmoid' | 'hardSigmoid' | 'linear'

/** As in `assembly/recurrent-activation.ts`. */
export const recurrentActivationCodes: Record<RecurrentActivation, number> = {
  ...{ linear: 0, tanh: 1, relu: 2, sigmoid: 3, hardSigmoid: 4 },
}

export const recurrentActivations: Record<RecurrentActivation, (x: tf.Tensor) => tf.Tensor> = {
  linear: (x) => x,
  tanh: (x) => tf.tanh(x),
  relu: (x) => tf.relu(x),
  sigmoid: (x) => tf.sigmoid(x),
  hardSigmoid: (x) => tf.clipByValue(tf.add(tf.mul(x, 0.2), 0.5), 0, 1),
}

export const isRecurrentActivation = (name: string): name is RecurrentActivation =>
  name in recurrentActivationCodes
