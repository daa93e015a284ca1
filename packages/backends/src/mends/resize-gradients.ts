/**
 * Resizing is linear and separable: out = R_y X R_x'. Its gradient is R_y' dy R_x, which holds for every mode, while tfjs's
 * gradient kernels ignore `halfPixelCenters`, and tfjs-cpu's exchange height and width (bilinear) and read past the batch (nearest).
 */
import * as tf from '@tensorflow/tfjs-core'
import { composedKernel } from '../training-kernels/composed-kernel'

interface ResizeAttributes {
  alignCorners: boolean
  halfPixelCenters: boolean
}

/** Row `i` holds the weights of the inputs that output `i` reads, `[outputs, inputs]`, as tfjs's forward kernels choose them. */
function resizeMatrix(
  inputs: number,
  outputs: number,
  { alignCorners, halfPixelCenters }: ResizeAttributes,
  bilinear: boolean,
): tf.Tensor2D {
  const weights = new Float32Array(outputs * inputs)
  const aligned = alignCorners && outputs > 1
  const scale = (aligned ? inputs - 1 : inputs) / (aligned ? outputs - 1 : outputs)
  for (let i = 0; i < outputs; i++) {
    if (bilinear) {
      const source = halfPixelCenters ? scale * (i + 0.5) - 0.5 : scale * i
      const low = Math.max(0, Math.floor(source))
      const high = Math.min(inputs - 1, Math.ceil(source))
      weights[i * inputs + low]! += 1 - (source - low)
      weights[i * inputs + high]! += source - low
    } else {
      const source = halfPixelCenters ? scale * (i + 0.5) : scale * i
      const nearest = Math.min(inputs - 1, alignCorners ? Math.round(source) : Math.floor(source))
      weights[i * inputs + nearest]! += 1
    }
  }
  return tf.tensor2d(weights, [outputs, inputs])
}

function resizeGradient(dy: tf.Tensor, shape: number[], attributes: ResizeAttributes, bilinear: boolean) {
  const [batch, height, width, channels] = shape as [number, number, number, number]
  const [, outHeight, outWidth] = dy.shape as [number, number, number, number]
  const byRow = tf.einsum(
    'oh,now->nhw',
    resizeMatrix(height, outHeight, attributes, bilinear),
    tf.reshape(dy, [batch, outHeight, outWidth * channels]),
  )
  const byColumn = tf.einsum(
    'ow,noc->nwc',
    resizeMatrix(width, outWidth, attributes, bilinear),
    tf.reshape(byRow, [batch * height, outWidth, channels]),
  )
  return tf.reshape(byColumn, shape)
}

const gradientOf = (kernelName: string, bilinear: boolean): tf.GradConfig => ({
  kernelName,
  inputsToSave: ['images'],
  gradFunc: (dy, saved, attrs) => {
    const [images] = saved as [tf.Tensor]
    const attributes = attrs as unknown as ResizeAttributes
    return {
      images: () =>
        attributes.halfPixelCenters
          ? resizeGradient(dy as tf.Tensor, images.shape, attributes, bilinear)
          : (tf.engine().runKernel(`${kernelName}Grad`, { dy: dy as tf.Tensor, images }, attrs) as tf.Tensor),
    }
  },
})

export const resizeBilinearGradient = gradientOf('ResizeBilinear', true)
export const resizeNearestNeighborGradient = gradientOf('ResizeNearestNeighbor', false)

type GradInputs = { dy: tf.Tensor; images: tf.Tensor }

/** The gradient kernels themselves, for the backend on which they are wrong. */
export const resizeBilinearGrad = composedKernel(({ dy, images }: GradInputs, attributes: ResizeAttributes) =>
  resizeGradient(dy, images.shape, attributes, true),
)
export const resizeNearestNeighborGrad = composedKernel(
  ({ dy, images }: GradInputs, attributes: ResizeAttributes) =>
    resizeGradient(dy, images.shape, attributes, false),
)
