/**
 * The two tensor layouts that turn the gradients of a strided, dilated, padded convolution back into plain
 * convolutions.
 */
import * as tf from '@tensorflow/tfjs-core'

/** The part of tfjs's `Conv2DInfo` that the gradients need. */
export type ConvGeometry = Pick<
  tf.backend_util.Conv2DInfo,
  | 'batchSize'
  | 'inHeight'
  | 'inWidth'
  | 'outHeight'
  | 'outWidth'
  | 'strideHeight'
  | 'strideWidth'
  | 'dilationHeight'
  | 'dilationWidth'
  | 'filterHeight'
  | 'filterWidth'
  | 'padInfo'
>

/** Pads (positive) or crops (negative) the height and width of a `[batch, height, width, channels]` tensor. */
export function padOrCrop(
  x: tf.Tensor4D,
  [top, bottom]: [number, number],
  [left, right]: [number, number],
): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape
  const cropped =
    Math.min(top, bottom, left, right) < 0
      ? tf.slice(
          x,
          [0, Math.max(0, -top), Math.max(0, -left), 0],
          [
            batch,
            height - Math.max(0, -top) - Math.max(0, -bottom),
            width - Math.max(0, -left) - Math.max(0, -right),
            channels,
          ],
        )
      : x
  if (Math.max(top, bottom, left, right) <= 0) return cropped
  return tf.pad(cropped, [
    [0, 0],
    [Math.max(0, top), Math.max(0, bottom)],
    [Math.max(0, left), Math.max(0, right)],
    [0, 0],
  ])
}

/** Inserts `stride - 1` zeros after every row and column. */
function insertZeros(x: tf.Tensor4D, strideHeight: number, strideWidth: number): tf.Tensor4D {
  if (strideHeight === 1 && strideWidth === 1) return x
  const [batch, height, width, channels] = x.shape
  const rows = tf.pad(tf.reshape(x, [batch * height, 1, width * channels]), [
    [0, 0],
    [0, strideHeight - 1],
    [0, 0],
  ]) // [batch height, strideHeight, width channels]
  const columns = tf.pad(tf.reshape(rows, [batch * height * strideHeight * width, 1, channels]), [
    [0, 0],
    [0, strideWidth - 1],
    [0, 0],
  ])
  return tf.reshape(columns, [batch, height * strideHeight, width * strideWidth, channels])
}

/**
 * Lays `dy` out so that a 'valid' convolution with the flipped, dilated filter at stride 1 gives the gradient of the
 * input: with k' = K - 1 - k, `dx[i] = sum_k' dyWithZeros[i + top - (K - 1) d + k' d] w[K - 1 - k']`.
 */
export function forInputGradient(dy: tf.Tensor4D, geometry: ConvGeometry): tf.Tensor4D {
  const { inHeight, inWidth, strideHeight, strideWidth, padInfo } = geometry
  const reachHeight = (geometry.filterHeight - 1) * geometry.dilationHeight
  const reachWidth = (geometry.filterWidth - 1) * geometry.dilationWidth
  const spread = insertZeros(dy, strideHeight, strideWidth)
  const top = reachHeight - padInfo.top
  const left = reachWidth - padInfo.left
  return padOrCrop(
    spread,
    [top, inHeight + reachHeight - spread.shape[1] - top],
    [left, inWidth + reachWidth - spread.shape[2] - left],
  )
}

/** Pads or crops `x` to exactly what the forward pass read, so that every filter tap sees a full window. */
export function forFilterGradient(x: tf.Tensor4D, geometry: ConvGeometry): tf.Tensor4D {
  const { padInfo, inHeight, inWidth } = geometry
  const height =
    (geometry.outHeight - 1) * geometry.strideHeight +
    (geometry.filterHeight - 1) * geometry.dilationHeight +
    1
  const width =
    (geometry.outWidth - 1) * geometry.strideWidth + (geometry.filterWidth - 1) * geometry.dilationWidth + 1
  return padOrCrop(
    x,
    [padInfo.top, height - inHeight - padInfo.top],
    [padInfo.left, width - inWidth - padInfo.left],
  )
}
