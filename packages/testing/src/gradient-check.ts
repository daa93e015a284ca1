/**
 * Central differences against `tf.grads`. tfjs computes in float32, so each directional derivative is taken along
 * a few random directions with a step of about the cube root of the rounding error.
 */
import * as tf from '@tensorflow/tfjs-core'
import { expectClose, type Tolerance } from './close'

export interface GradientCheckOptions extends Tolerance {
  /** Step of the central difference, relative to the input's largest magnitude. @default 1e-2 */
  step?: number
  /** Random directions per input. @default 3 */
  directions?: number
  /** @default 7 */
  seed?: number
}

/** Checks the gradients of `f` (any output shape; it is reduced by fixed random weights) at `inputs`. */
export function expectGradients(
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: tf.Tensor[],
  { step = 1e-2, directions = 3, seed = 7, rtol = 2e-2, atol = 2e-3 }: GradientCheckOptions = {},
): void {
  tf.tidy(() => {
    const output = f(...inputs)
    const weights = tf.randomUniform(output.shape, -1, 1, 'float32', seed) // same shape as the output
    const scalar = (...xs: tf.Tensor[]) => tf.sum(tf.mul(f(...xs), weights)) as tf.Scalar
    const gradients = tf.grads(scalar)(inputs)
    inputs.forEach((input, i) => {
      const size = Math.max(1e-3, tf.max(tf.abs(input)).dataSync()[0]!)
      for (let k = 0; k < directions; k++) {
        const direction = tf.randomUniform(input.shape, -1, 1, 'float32', seed + 31 * i + k + 1)
        const h = step * size
        const at = (sign: number) =>
          scalar(
            ...inputs.map((x, j) => (j === i ? tf.add(x, tf.mul(direction, sign * h)) : x)),
          ).dataSync()[0]!
        const numeric = (at(1) - at(-1)) / (2 * h)
        const analytic = tf.sum(tf.mul(gradients[i]!, direction)).dataSync()[0]!
        try {
          expectClose([analytic], [numeric], { rtol, atol: atol * Math.max(1, input.size ** 0.5) })
        } catch (error) {
          throw new Error(`expectGradients: input ${i}, direction ${k}. ${(error as Error).message}`)
        }
      }
    })
  })
}
