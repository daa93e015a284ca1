/**
 * A kernel written in tf ops. tfjs records nothing on the gradient tape while a kernel runs, so a composition costs its
 * ops and nothing else; `tidy` frees what lies between.
 */
import * as tf from '@tensorflow/tfjs-core'

/** What a composition computes: tensors and attributes in, one tensor out. */
export type Composition<Inputs, Attributes> = (inputs: Inputs, attributes: Attributes) => tf.Tensor

/** Turns a composition into what `tf.registerKernel` takes. */
export function composedKernel<Inputs, Attributes>(compose: Composition<Inputs, Attributes>): tf.KernelFunc {
  return ({ inputs, attrs }) =>
    tf.tidy(() => compose(inputs as Inputs, attrs as Attributes)) as unknown as tf.TensorInfo
}
