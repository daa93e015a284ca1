/** The gradient of cropAndResize with respect to the image: every output pixel adds to the four (or one) it was read from. */
import * as tf from '@tensorflow/tfjs-core'
import { addAt } from './moving-gradients'

interface CropAttributes {
  method: 'bilinear' | 'nearest'
  cropSize: [number, number]
}

/** Where the outputs of one axis of one box read from, as tfjs's forward kernels compute it. */
const samples = (low: number, high: number, size: number, outputs: number) =>
  Array.from({ length: outputs }, (_, i) =>
    outputs > 1
      ? low * (size - 1) + (i * (high - low) * (size - 1)) / (outputs - 1)
      : 0.5 * (low + high) * (size - 1),
  )

/** The (at most two) pixels that a sample reads, with weights; none outside the image. */
function taps(at: number, size: number, bilinear: boolean): [number, number][] {
  if (!(at >= 0 && at <= size - 1)) return []
  if (!bilinear) return [[Math.round(at), 1]]
  const low = Math.floor(at)
  return [
    [low, 1 - (at - low)],
    [Math.ceil(at), at - low],
  ]
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
        const [, height, width, channels] = image.shape
        const corners = boxes.arraySync()
        const images = boxInd.dataSync()
        const targets: number[] = []
        const sources: number[] = []
        const weights: number[] = []
        corners.forEach(([y1, x1, y2, x2], box) => {
          const rows = samples(y1!, y2!, height, cropSize[0])
          const columns = samples(x1!, x2!, width, cropSize[1])
          rows.forEach((y, i) => {
            columns.forEach((x, j) => {
              for (const [row, rowWeight] of taps(y, height, method === 'bilinear'))
                for (const [column, columnWeight] of taps(x, width, method === 'bilinear')) {
                  targets.push((images[box]! * height + row) * width + column)
                  sources.push((box * cropSize[0] + i) * cropSize[1] + j)
                  weights.push(rowWeight * columnWeight)
                }
            })
          })
        })
        if (!targets.length) return tf.zeros(image.shape)
        const pixels = tf.gather(
          tf.reshape(gradient as tf.Tensor, [-1, channels]),
          tf.tensor1d(sources, 'int32'),
        )
        const values = tf.mul(pixels, tf.tensor2d(weights, [weights.length, 1]))
        const positions = tf.add(
          tf.mul(tf.tensor2d(targets, [targets.length, 1], 'int32'), tf.scalar(channels, 'int32')),
          tf.range(0, channels, 1, 'int32'),
        )
        return addAt(positions, values, image.shape)
      },
    }
  },
}
