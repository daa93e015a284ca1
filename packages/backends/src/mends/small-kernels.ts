/** Small mends, each around the kernel that is there. */
import * as tf from '@tensorflow/tfjs-core'
import { identityKernel } from '../kernels/identity'
import { composedKernel } from '../training-kernels/composed-kernel'

type Around = (present: tf.KernelFunc) => tf.KernelFunc

const sizeOf = (shape: number[]) => shape.reduce((a, b) => a * b, 1)

/** tfjs-wasm fills the output with integers, whatever its dtype. */
export const oneHotAround: Around = (present) => {
  const viaInteger = composedKernel(
    (
      { indices }: { indices: tf.Tensor },
      {
        depth,
        onValue,
        offValue,
        dtype,
      }: { depth: number; onValue: number; offValue: number; dtype: tf.DataType },
    ) => {
      const hot = tf.cast(tf.oneHot(indices, depth, 1, 0, 'int32'), 'float32')
      return tf.cast(tf.add(tf.mul(hot, onValue - offValue), offValue), dtype)
    },
  )
  return (params) => (params.attrs!.dtype === 'int32' ? present(params) : viaInteger(params))
}

/** tfjs-wasm truncates: 0.3 becomes false, and 5 stays 5. To the same dtype it copies, once per factor in each gradient of a product. */
export const castAround: Around = (present) => {
  const toBool = composedKernel(({ x }: { x: tf.Tensor }) =>
    tf.notEqual(x, tf.zeros([], x.dtype as 'float32')),
  )
  return (params) => {
    if (params.attrs!.dtype === params.inputs.x!.dtype) return identityKernel(params)
    return params.attrs!.dtype === 'bool' ? toBool(params) : present(params)
  }
}

/** tfjs-wasm labels every result float32: integers come back as the floats of their bits. */
export const stridedSliceAround: Around = (present) => {
  const viaFloat = composedKernel(({ x }: { x: tf.Tensor }, attrs: tf.NamedAttrMap) => {
    const moved = tf.engine().runKernel('StridedSlice', { x: tf.cast(x, 'float32') }, attrs) as tf.Tensor
    return tf.cast(moved, x.dtype)
  })
  return (params) => {
    const { dtype } = params.inputs.x!
    return dtype === 'int32' || dtype === 'bool' ? viaFloat(params) : present(params)
  }
}

/** The sum of nothing is zero; tfjs-webgl and tfjs-webgpu throw. */
export const emptySumAround: Around = (present) => {
  const zeros = composedKernel(({ x }: { x: tf.Tensor }, attrs: { axis?: number | number[] }) => {
    const axes = tf.util.parseAxisParam(attrs.axis as number[], x.shape)
    const kept = x.shape.filter((_, axis) => !axes.includes(axis))
    return tf.zeros(kept, x.dtype === 'bool' ? 'int32' : (x.dtype as 'float32'))
  })
  return (params) => (sizeOf(params.inputs.x!.shape) === 0 ? zeros(params) : present(params))
}

/** tfjs-cpu writes the updates into the tensor that it was given. */
export const tensorScatterUpdateAround: Around = (present) => (params) => {
  const tensor = params.inputs.tensor as tf.Tensor
  const copy = tf.tidy(() => tf.tensor(tensor.dataSync().slice(), tensor.shape, tensor.dtype))
  const output = present({ ...params, inputs: { ...params.inputs, tensor: copy } })
  copy.dispose()
  return output
}

/** WebGPU promises a shader 8 storage buffers, and one is the output's; tfjs-webgpu makes one of every term. */
const mostTerms = 7

export const addNAround: Around = (present) => (params) => {
  const terms = Object.values(params.inputs) as tf.Tensor[]
  if (terms.length <= mostTerms) return present(params)
  return tf.tidy(() => {
    let sums = terms
    while (sums.length > 1)
      sums = Array.from({ length: Math.ceil(sums.length / mostTerms) }, (_, i) =>
        tf.addN(sums.slice(i * mostTerms, (i + 1) * mostTerms)),
      )
    return sums[0]!
  }) as unknown as tf.TensorInfo
}
