import * as tf from '@tensorflow/tfjs-core'

/**
 * Runs a function that differentiates, in the middle of a backward pass: tfjs drops its tape at the end of every
 * gradient, but that of the pass around this one is still needed.
 *
 * @param differentiate Calls `tf.grad`, `tf.variableGrads` and the like, synchronously.
 * @returns What it returns.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-layers' // registers tfjs's gradients
 * import * as tf from '@tensorflow/tfjs-core'
 * import { keepTape } from '@tfgraft/backends'
 *
 * // The adjoint of a linear map, found by differentiating it while something else is differentiated.
 * const scaled = tf.customGrad((x) => ({
 *   value: tf.mul(x as tf.Tensor, 3),
 *   gradFunc: (dy: tf.Tensor) => keepTape(() => tf.grad((v) => tf.mul(v, 3))(dy, dy)),
 * }))
 * tf.grad((x) => tf.sum(scaled(tf.square(x))))(tf.tensor1d([1, 2])).print() // [6, 12]
 * ```
 */
export function keepTape<T>(differentiate: () => T): T {
  const { state } = tf.engine()
  const { activeTape } = state
  const result = differentiate()
  state.activeTape ??= activeTape
  return result
}
