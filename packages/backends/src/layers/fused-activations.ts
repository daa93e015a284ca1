/** The activations 'gelu' and 'gelu_new' of tfjs's layers in one pass, forward and backward, while the backend is wasm. */
import type * as tf from '@tensorflow/tfjs-core'
import { gelu } from '../ops/gelu'
import { isFused } from '../training-kernels/fusion'
import { prototypeOf } from './replace-call'

interface Activation {
  apply(x: tf.Tensor): tf.Tensor
}

const replaced = new WeakSet<object>()

function replaceApply(className: string, apply: (x: tf.Tensor) => tf.Tensor): void {
  const activation = prototypeOf(className) as Activation
  if (replaced.has(activation)) return
  replaced.add(activation)
  const stock = activation.apply
  activation.apply = function (x) {
    return isFused() && x.dtype === 'float32' ? apply(x) : stock.call(this, x)
  }
}

/** Makes the activations of tfjs's layers that stock composes of many ops run as one on wasm. */
export function fuseActivations(): void {
  replaceApply('gelu', (x) => gelu(x))
  replaceApply('gelu_new', (x) => gelu(x, { approximate: true }))
}
