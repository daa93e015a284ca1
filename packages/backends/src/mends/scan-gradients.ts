/** Gradients of running and total sums and products along any axis, also where an element is zero. */
import * as tf from '@tensorflow/tfjs-core'

type ScanAttributes = { axis: number; exclusive: boolean; reverse: boolean }

/** tfjs transposes the result back although its cumsum never transposed it: wrong (or a throw) off the last axis. */
export const cumsumGradient: tf.GradConfig = {
  kernelName: 'Cumsum',
  gradFunc: (dy, _, attrs) => {
    const { axis, exclusive, reverse } = attrs as ScanAttributes
    return { x: () => tf.cumsum(dy as tf.Tensor, axis, exclusive, !reverse) }
  },
}

/**
 * With `y_j = prod_{k <= j} x_k`: `dx_i = (prod_{k < i} x_k) s_i`, `s_i = dy_i + x_{i+1} s_{i+1}`; exclusive products
 * shift dy by one. No division, so zeros are no special case.
 */
function cumprodInputGradient(x: tf.Tensor, dy: tf.Tensor, axis: number, exclusive: boolean): tf.Tensor {
  const n = x.shape[axis]!
  const xs = tf.unstack(x, axis)
  const dys = tf.unstack(dy, axis)
  const suffix = new Array<tf.Tensor>(n)
  let s = exclusive ? tf.zerosLike(xs[n - 1]!) : dys[n - 1]!
  suffix[n - 1] = s
  for (let i = n - 2; i >= 0; i--) {
    s = tf.add(exclusive ? dys[i + 1]! : dys[i]!, tf.mul(xs[i + 1]!, s))
    suffix[i] = s
  }
  return tf.mul(tf.cumprod(x, axis, true), tf.stack(suffix, axis))
}

export const cumprodGradient: tf.GradConfig = {
  kernelName: 'Cumprod',
  inputsToSave: ['x'],
  gradFunc: (gradient, saved, attrs) => {
    const [x] = saved as [tf.Tensor]
    const dy = gradient as tf.Tensor
    const { exclusive, reverse } = attrs as ScanAttributes
    const [axis] = tf.util.parseAxisParam((attrs as ScanAttributes).axis, x.shape) as [number]
    return {
      x: () =>
        reverse
          ? tf.reverse(cumprodInputGradient(tf.reverse(x, axis), tf.reverse(dy, axis), axis, exclusive), axis)
          : cumprodInputGradient(x, dy, axis, exclusive),
    }
  },
}

/** The product of all others is the product of those before and those after. tfjs does not resolve negative axes. */
export const prodGradient: tf.GradConfig = {
  kernelName: 'Prod',
  inputsToSave: ['x'],
  gradFunc: (dy, saved, attrs) => {
    const [x] = saved as [tf.Tensor]
    const axes = tf.util.parseAxisParam((attrs as { axis: number | number[] }).axis, x.shape)
    const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i))
    const order = [...kept, ...axes]
    return {
      x: () => {
        const keptShape = kept.map((i) => x.shape[i]!)
        const flat = tf.reshape(tf.transpose(x, order), [...keptShape, -1])
        const last = flat.rank - 1
        const others = tf.mul(tf.cumprod(flat, last, true, false), tf.cumprod(flat, last, true, true))
        const gradient = tf.mul(tf.reshape(dy as tf.Tensor, [...keptShape, 1]), others)
        const undo = order.map((_, i) => order.indexOf(i))
        return tf.transpose(
          tf.reshape(
            gradient,
            order.map((i) => x.shape[i]!),
          ),
          undo,
        )
      },
    }
  },
}
