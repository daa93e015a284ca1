/**
 * Maximum, minimum and squaredDifference of tensors that broadcast: tfjs returns the gradient in the output's shape,
 * and its engine then throws on the mismatch. Ties go to `a`, as in tfjs.
 */
import * as tf from '@tensorflow/tfjs-core'
import { sumToShape } from './sum-to-shape'

type Slope = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor

const gradientOf = (kernelName: string, slopeA: Slope, slopeB: Slope): tf.GradConfig => ({
  kernelName,
  inputsToSave: ['a', 'b'],
  gradFunc: (dy, saved) => {
    const [a, b] = saved as [tf.Tensor, tf.Tensor]
    return {
      a: () => sumToShape(tf.mul(dy as tf.Tensor, slopeA(a, b)), a.shape),
      b: () => sumToShape(tf.mul(dy as tf.Tensor, slopeB(a, b)), b.shape),
    }
  },
})

const asFloat = (condition: tf.Tensor) => tf.cast(condition, 'float32')

export const maximumGradient = gradientOf(
  'Maximum',
  (a, b) => asFloat(tf.greaterEqual(a, b)),
  (a, b) => asFloat(tf.less(a, b)),
)

export const minimumGradient = gradientOf(
  'Minimum',
  (a, b) => asFloat(tf.lessEqual(a, b)),
  (a, b) => asFloat(tf.greater(a, b)),
)

export const squaredDifferenceGradient = gradientOf(
  'SquaredDifference',
  (a, b) => tf.mul(2, tf.sub(a, b)),
  (a, b) => tf.mul(2, tf.sub(b, a)),
)
