/** A kernel written over plain arrays, for backends whose tensors JavaScript can read at once: cpu, wasm and, at the cost of waiting for the GPU, webgl. */
import * as tf from '@tensorflow/tfjs-core'

export interface ArrayTensor {
  shape: number[]
  values: tf.TypedArray
  /** @default 'float32' */
  dtype?: 'float32' | 'int32'
}

export type ArrayComputation<Attributes> = (
  inputs: Record<string, ArrayTensor>,
  attributes: Attributes,
) => ArrayTensor[]

export function arrayKernel<Attributes>(compute: ArrayComputation<Attributes>): tf.KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const read = (info: tf.TensorInfo): ArrayTensor => ({
      shape: info.shape,
      values: (backend as tf.KernelBackend).readSync(info.dataId) as tf.TypedArray,
    })
    const arrays = Object.fromEntries(
      Object.entries(inputs).flatMap(([name, info]) => (info ? [[name, read(info)]] : [])),
    )
    const outputs = compute(arrays, attrs as Attributes).map(({ values, shape, dtype = 'float32' }) =>
      tf.tensor(values, shape, dtype),
    )
    return (outputs.length === 1 ? outputs[0] : outputs) as unknown as tf.TensorInfo | tf.TensorInfo[]
  }
}
