import * as tf from '@tensorflow/tfjs-core'
import { keepTape } from './keep-tape'
import type { InputGradients, OpInputs, OpOutputs } from './op'

/** The gradient of an op that gives none: the reference runs again, on tfjs's tape. */
export function differentiateReference<I extends OpInputs<I>>(
  reference: (inputs: I) => OpOutputs,
  inputs: I,
  dys: tf.Tensor[],
): InputGradients<I> {
  const names = Object.keys(inputs) as (keyof I)[]
  const differentiable = names.filter((name) => inputs[name]?.dtype === 'float32')
  const xs = differentiable.map((name) => inputs[name] as tf.Tensor)
  const weighted = () => {
    const outputs = reference(inputs)
    const terms = (Array.isArray(outputs) ? outputs : [outputs]).flatMap((output, i) =>
      output.dtype === 'float32' ? [tf.sum(tf.mul(output, dys[i]!))] : [],
    )
    return tf.addN(terms)
  }
  const { grads } = keepTape(() => tf.engine().gradients(weighted, xs, undefined, true))
  // tfjs has no gradient for an input that the outputs do not depend on.
  return Object.fromEntries(
    differentiable.map((name, i) => [name, grads[i] ?? tf.zerosLike(xs[i]!)]),
  ) as InputGradients<I>
}
