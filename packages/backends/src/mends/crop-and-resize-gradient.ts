/**
 * The gradient of cropAndResize with respect to the image. Along one axis an output reads pixel `p` with weight
 * `max(0, 1 - |at - p|)` (bilinear) or 1 at the nearest, so with one weight matrix per box and axis it is two products
 * per box, added up per image.
 */
import * as tf from '@tensorflow/tfjs-core'

interface CropAttributes {
  method: 'bilinear' | 'nearest'
  cropSize: [number, number]
}

/** The weights with which the outputs of one axis read its pixels, `[boxes, outputs, size]`. */
function readingWeights(
  low: tf.Tensor,
  high: tf.Tensor,
  size: number,
  outputs: number,
  method: CropAttributes['method'],
): tf.Tensor {
  // From edge to edge of the box; a single output reads its middle.
  const along = outputs > 1 ? tf.div(tf.range(0, outputs), outputs - 1) : tf.fill([1], 0.5) // [outputs]
  const at = tf.mul(
    tf.add(tf.expandDims(low, 1), tf.mul(tf.expandDims(tf.sub(high, low), 1), along)),
    size - 1,
  ) // [boxes, outputs]
  const inside = tf.cast(tf.logicalAnd(tf.greaterEqual(at, 0), tf.lessEqual(at, size - 1)), 'float32')
  const pixels = tf.range(0, size)
  const read = tf.expandDims(method === 'nearest' ? tf.floor(tf.add(at, 0.5)) : at, 2)
  const weights = tf.relu(tf.sub(1, tf.abs(tf.sub(read, pixels))))
  return tf.mul(weights, tf.expandDims(inside, 2))
}

export const cropAndResizeGradient: tf.GradConfig = {
  kernelName: 'CropAndResize',
  inputsToSave: ['image', 'boxes', 'boxInd'],
  gradFunc: (gradient, saved, attrs) => {
    const [image, boxes, boxInd] = saved as [tf.Tensor4D, tf.Tensor2D, tf.Tensor1D]
    const { method, cropSize } = attrs as unknown as CropAttributes
    const refuse = () => {
      throw new Error(
        'cropAndResize: only the image has a gradient. Received boxes that depend on the variable.',
      )
    }
    return {
      boxes: refuse,
      boxInd: refuse,
      image: () => {
        const [batch, height, width] = image.shape
        const [y1, x1, y2, x2] = tf.unstack(boxes, 1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]
        const rows = readingWeights(y1, y2, height, cropSize[0], method)
        const columns = readingWeights(x1, x2, width, cropSize[1], method)
        const byRow = tf.einsum('bih,bijc->bhjc', rows, gradient as tf.Tensor)
        const perBox = tf.einsum('bjw,bhjc->bhwc', columns, byRow)
        return tf.unsortedSegmentSum(perBox, boxInd, batch)
      },
    }
  },
}
