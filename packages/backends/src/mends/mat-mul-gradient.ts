/** The gradient of a matrix product whose batch dimensions broadcast: tfjs forgets to sum over the repeated ones. */
import * as tf from '@tensorflow/tfjs-core'
import { sumToShape } from './sum-to-shape'

export const matMulGradient: tf.GradConfig = {
  kernelName: 'BatchMatMul',
  inputsToSave: ['a', 'b'],
  gradFunc: (gradient, saved, attrs) => {
    const dy = gradient as tf.Tensor
    const [a, b] = saved as [tf.Tensor, tf.Tensor]
    const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean }
    return {
      a: () =>
        sumToShape(
          transposeA ? tf.matMul(b, dy, transposeB, true) : tf.matMul(dy, b, false, !transposeB),
          a.shape,
        ),
      b: () =>
        sumToShape(
          transposeB ? tf.matMul(dy, a, true, transposeA) : tf.matMul(a, dy, !transposeA, false),
          b.shape,
        ),
    }
  },
}
