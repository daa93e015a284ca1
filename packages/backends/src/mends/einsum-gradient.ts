/**
 * Einsum has no gradient in tfjs. The gradient of an input is an einsum of the output's gradient with the other input,
 * repeated along the labels that were summed out of this input alone.
 */
import * as tf from '@tensorflow/tfjs-core'
import { parseEquation } from '../training-kernels/einsum'

export const einsumGradient: tf.GradConfig = {
  kernelName: 'Einsum',
  saveAllInputs: true,
  gradFunc: (dy, saved, attrs) => {
    const { inputs, output } = parseEquation((attrs as { equation: string }).equation)
    const gradientOf = (i: number) => () => {
      const own = inputs[i]!
      const others = inputs.flatMap((labels, j) => (j === i ? [] : [{ labels, tensor: saved[j]! }]))
      const reachable = [...own].filter(
        (label) => output.includes(label) || others.some(({ labels }) => labels.includes(label)),
      )
      const left = [output, ...others.map(({ labels }) => labels)].join(',')
      const summed = tf.einsum(
        `${left}->${reachable.join('')}`,
        dy as tf.Tensor,
        ...others.map(({ tensor }) => tensor),
      )
      const shape = saved[i]!.shape
      const withOnes = [...own].map((label, axis) => (reachable.includes(label) ? shape[axis]! : 1))
      return tf.broadcastTo(tf.reshape(summed, withOnes), shape)
    }
    return Object.fromEntries(inputs.map((_, i) => [i, gradientOf(i)]))
  },
}
