/** The gradient of the error function, 2 / sqrt(pi) e^(-x^2), in one pass. tfjs takes four. */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '../define-op/define-op'
import { kernels } from '../generated/kernels'

/** dy times the slope at x. */
export const erfGradientOp = defineOp<{ x: tf.Tensor; dy: tf.Tensor }, void, tf.Tensor>({
  name: 'backends/ErfGradient',
  reference: ({ x, dy }) => tf.mul(dy, tf.mul(tf.exp(tf.neg(tf.square(x))), 2 / Math.sqrt(Math.PI))),
  kernels: {
    wasm: ({ heap, inputs: { x, dy } }) => {
      const dx = heap.output(x.shape)
      const [px, pdy] = x.size ? [heap.pointer(x), heap.pointer(dy)] : [0, 0]
      heap.parallelFor(kernels, 'erfGradient', {
        ...{ length: x.size, cost: 1.5, multiple: 16 },
        parameters: (start, count) => [
          ...([px + start * 4, pdy + start * 4, dx.pointer + start * 4, count] as const),
        ],
      })
      return dx
    },
  },
})

export const erfGradient: tf.GradConfig = {
  kernelName: 'Erf',
  inputsToSave: ['x'],
  gradFunc: (dy, [x]) => ({ x: () => erfGradientOp({ x: x!, dy: dy as tf.Tensor }) }),
}
