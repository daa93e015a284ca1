/**
 * The gradients of conv3d as 2-D gradients, one per depth of the filter. tfjs-wasm's own add products with
 * what lies in memory before the filter (input; right where that happens to be zeros) and skip positions at strides above one
 * (filter).
 */
import * as tf from '@tensorflow/tfjs-core'
import { composedKernel } from '../training-kernels/composed-kernel'

type Shape5D = [number, number, number, number, number]

interface Conv3DAttributes {
  strides: [number, number, number] | number
  pad: 'valid' | 'same'
}

const infoOf = (inputShape: Shape5D, filterShape: Shape5D, { strides, pad }: Conv3DAttributes) =>
  tf.backend_util.computeConv3DInfo(inputShape, filterShape, strides, 1, pad)

/** What both gradients pass to the 2-D kernels. */
const planar = (info: tf.backend_util.Conv3DInfo) => ({
  strides: [info.strideHeight, info.strideWidth] as [number, number],
  pad: [
    [0, 0],
    [info.padInfo.top, info.padInfo.bottom],
    [info.padInfo.left, info.padInfo.right],
    [0, 0],
  ] as [[number, number], [number, number], [number, number], [number, number]],
  dataFormat: 'NHWC' as const,
})

const run = (kernelName: string, inputs: tf.NamedTensorMap, attrs: object) =>
  tf.engine().runKernel(kernelName, inputs, attrs as tf.NamedAttrMap) as tf.Tensor4D

/** Shifts depth by `offset`, reads every `stride`-th plane, `count` of them; planes outside are zero. */
function planes(x: tf.Tensor5D, offset: number, stride: number, count: number): tf.Tensor4D {
  const [batch, depth, height, width, channels] = x.shape
  const flat = tf.reshape(x, [batch, depth, -1]) as tf.Tensor3D
  const last = offset + (count - 1) * stride
  const padded = tf.pad(flat, [
    [0, 0],
    [Math.max(0, -offset), Math.max(0, last + 1 - depth)],
    [0, 0],
  ])
  const start = Math.max(0, offset)
  const read = tf.stridedSlice(
    padded,
    [0, start, 0],
    [batch, start + (count - 1) * stride + 1, flat.shape[2]],
    [1, stride, 1],
  )
  return tf.reshape(read, [batch * count, height, width, channels])
}

export const conv3dBackpropFilter = composedKernel(
  (
    { x, dy }: { x: tf.Tensor5D; dy: tf.Tensor5D },
    attributes: Conv3DAttributes & { filterShape: Shape5D },
  ) => {
    const info = infoOf(x.shape, attributes.filterShape, attributes)
    const [batch, outDepth, outHeight, outWidth, outChannels] = dy.shape
    const gradients = tf.reshape(dy, [batch * outDepth, outHeight, outWidth, outChannels])
    const filterShape = attributes.filterShape.slice(1)
    const perDepth = Array.from({ length: info.filterDepth }, (_, k) =>
      run(
        'Conv2DBackpropFilter',
        { x: planes(x, k - info.padInfo.front, info.strideDepth, outDepth), dy: gradients },
        { ...planar(info), filterShape },
      ),
    )
    return tf.stack(perDepth)
  },
)

export const conv3dBackpropInput = composedKernel(
  (
    { dy, filter }: { dy: tf.Tensor5D; filter: tf.Tensor5D },
    attributes: Conv3DAttributes & { inputShape: Shape5D },
  ) => {
    const info = infoOf(attributes.inputShape, filter.shape, attributes)
    const [batch, outDepth, outHeight, outWidth, outChannels] = dy.shape
    const { inDepth, inHeight, inWidth, inChannels, strideDepth } = info
    const gradients = tf.reshape(dy, [batch * outDepth, outHeight, outWidth, outChannels])
    const shape2d = [batch * outDepth, inHeight, inWidth, inChannels]
    const contributions = tf.unstack(filter).map((filterPlane, k) => {
      const dx = run(
        'Conv2DBackpropInput',
        { dy: gradients, filter: filterPlane },
        { ...planar(info), inputShape: shape2d },
      )
      // Output plane i of depth k lands on input plane i s + k - front: insert the skipped planes, then shift.
      const spread = tf.pad(tf.reshape(dx, [batch * outDepth, 1, -1]), [
        [0, 0],
        [0, strideDepth - 1],
        [0, 0],
      ])
      const spreadDepth = outDepth * strideDepth
      const volume = tf.reshape(spread, [batch, spreadDepth, inHeight, inWidth, inChannels]) as tf.Tensor5D
      return planes(volume, info.padInfo.front - k, 1, inDepth)
    })
    return tf.reshape(contributions.length > 1 ? tf.addN(contributions) : contributions[0]!, [
      batch,
      inDepth,
      inHeight,
      inWidth,
      inChannels,
    ])
  },
)
