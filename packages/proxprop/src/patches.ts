/** The matrix A of a 2-D convolution: convolving is multiplying by it. */
import * as tf from '@tensorflow/tfjs-core'
import { isRecording } from './record-use'

/**
 * Up to this many columns, a convolution that copies (its kernel is the identity) beats slices: 5 ms instead of 129 on
 * wasm for 5 x 5 patches of 64 x 28 x 28 x 1.
 */
const fewColumns = 64

export interface ConvGeometry {
  kernelSize: [number, number]
  strides: [number, number]
  padding: 'same' | 'valid'
  dilationRate: [number, number]
}

/** Output length and padding of one spatial dimension, by TensorFlow's rules. */
export function along(
  size: number,
  kernel: number,
  stride: number,
  dilation: number,
  padding: 'same' | 'valid',
) {
  const reach = (kernel - 1) * dilation + 1
  if (padding === 'valid') return { length: Math.floor((size - reach) / stride) + 1, before: 0, after: 0 }
  const length = Math.ceil(size / stride)
  const total = Math.max((length - 1) * stride + reach - size, 0)
  return { length, before: total >> 1, after: total - (total >> 1) }
}

/**
 * One row per output position, one column per element of the kernel.
 *
 * @param x NHWC images, [n, h, w, channels].
 * @returns [n h' w', kernelHeight kernelWidth channels]
 */
export function patches(x: tf.Tensor4D, geometry: ConvGeometry): tf.Tensor2D {
  const { kernelSize, strides, padding, dilationRate } = geometry
  return tf.tidy(() => {
    const [n, height, width, channels] = x.shape
    const [kh, kw] = kernelSize
    const columns = kh * kw * channels
    if (columns <= fewColumns && !isRecording()) {
      const identity = tf.reshape(tf.eye(columns), [kh, kw, channels, columns]) as tf.Tensor4D
      const copies = tf.conv2d(x, identity, strides, padding, 'NHWC', dilationRate)
      return tf.reshape(copies, [-1, columns]) as tf.Tensor2D
    }
    const [sy, sx] = strides
    const y = along(height, kh, sy, dilationRate[0], padding)
    const z = along(width, kw, sx, dilationRate[1], padding)
    const padded = tf.pad4d(x, [
      [0, 0],
      [y.before, y.after],
      [z.before, z.after],
      [0, 0],
    ])
    const taps: tf.Tensor4D[] = []
    for (let i = 0; i < kh; i++)
      for (let j = 0; j < kw; j++) {
        const [top, left] = [i * dilationRate[0], j * dilationRate[1]]
        const [tall, wide] = [(y.length - 1) * sy + 1, (z.length - 1) * sx + 1]
        taps.push(
          sy === 1 && sx === 1 // tfjs cannot differentiate a strided slice
            ? tf.slice4d(padded, [0, top, left, 0], [n, tall, wide, channels])
            : (tf.stridedSlice(
                padded,
                [0, top, left, 0],
                [n, top + tall, left + wide, channels],
                [1, sy, sx, 1],
              ) as tf.Tensor4D),
        )
      }
    return tf.reshape(tf.concat4d(taps, 3), [n * y.length * z.length, columns])
  })
}
