/**
 * Comparisons and logic are flat wherever they are differentiable. tfjs has no gradient for most of them, so `where` and
 * `divNoNan` throw when their condition depends on the variable; and gives floorDiv the gradient of a division.
 */
import * as tf from '@tensorflow/tfjs-core'

const flat = (kernelName: string, inputNames: string[]): tf.GradConfig => ({
  kernelName,
  inputsToSave: inputNames,
  gradFunc: (_, saved) =>
    Object.fromEntries(inputNames.map((name, i) => [name, () => tf.zeros(saved[i]!.shape)])),
})

export const zeroGradients: tf.GradConfig[] = [
  ...['Equal', 'NotEqual', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'LogicalAnd', 'LogicalOr'].map(
    (name) => flat(name, ['a', 'b']),
  ),
  flat('LogicalNot', ['x']),
  flat('FloorDiv', ['a', 'b']),
]
