/**
 * tfjs's own Conv2D layer without bias and activation, as before a batch normalisation, while gradients are taken. Stock, it runs
 * `tf.fused.conv2d`, whose gradient (tfjs-core 4.22) computes the gradients to image and filter both before the tape says which it
 * needs: an attack, which asks for the image's, pays for all filters', a frozen layer for its own, and every training step for
 * the gradient to the network's input. `tf.conv2d` is the same arithmetic, and its gradient computes what is asked for.
 * With a bias or an activation the layer stays as it is: tfjs fuses no activation under a gradient, and a bias alone would cost
 * a pass and a tensor of its own.
 */
import * as tf from '@tensorflow/tfjs-core'
import { isReplaced } from '../training-kernels/fusion'
import { prototypeOf, replaceCall } from './replace-call'

/** What we use of tfjs's layer. */
interface Conv2D {
  activation: { getClassName(): string }
  bias?: unknown
  dataFormat: 'channelsLast' | 'channelsFirst'
  dilationRate: number | [number, number]
  kernel: { read(): tf.Tensor }
  padding: 'valid' | 'same' | 'causal'
  strides: number | [number, number]
}

const isCovered = ({ activation, bias, dataFormat, padding }: Conv2D, x: tf.Tensor): boolean =>
  isReplaced() &&
  x.rank === 4 &&
  tf.engine().state.gradientDepth > 0 &&
  activation.getClassName() === 'linear' &&
  !bias &&
  dataFormat === 'channelsLast' &&
  padding !== 'causal'

/** Makes `tf.layers.conv2d` compute those of its gradients that are asked for, on every backend. */
export function pruneConv2d(): void {
  replaceCall<Conv2D>(prototypeOf('Conv2D'), {
    isCovered,
    call: ({ kernel, strides, padding, dilationRate }, x) => {
      const filter = kernel.read() as tf.Tensor4D
      return tf.conv2d(x as tf.Tensor4D, filter, strides, padding as 'valid' | 'same', 'NHWC', dilationRate)
    },
  })
}
