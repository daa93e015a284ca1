/** Three plain distortions with free strength, for teaching and for augmentation. */
import type * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '@tfgraft/core'
import { checkImages, mapImages } from './corrupt'
import { clip01, gaussianBlur, mapValues, resizeBox } from './raster'

/**
 * Adds uniform noise in grains: squares of `grain` pixels that share one value per channel.
 *
 * @param images - `[batch, height, width, channels]` in 0..1.
 * @param options - `strength`: largest deviation of a value, in 255ths; `grain`: side of a grain in pixels; `seed`.
 * @returns images of the same shape in 0..1; the caller disposes them.
 * @throws Error when `strength` is negative, `grain` is no positive integer or the images have not rank 4.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { grainNoise } from '@tfgraft/advprop'
 *
 * const noisy = grainNoise(tf.fill([1, 20, 20, 3], 0.5) as tf.Tensor4D, { strength: 25, grain: 5 })
 * ```
 */
export function grainNoise(
  images: tf.Tensor4D,
  { strength = 25, grain = 5, seed = 0 }: { strength?: number; grain?: number; seed?: number } = {},
): tf.Tensor4D {
  if (!(strength >= 0))
    throw new Error(`grainNoise: \`strength\` must be at least 0. Received strength=${strength}.`)
  if (!(Number.isInteger(grain) && grain >= 1))
    throw new Error(`grainNoise: \`grain\` must be an integer of at least 1. Received grain=${grain}.`)
  checkImages('grainNoise', images)
  const root = createRandom(seed)
  return mapImages(images, (image, n) => {
    const random = root.fork(n)
    const { height, width, channels } = image
    const columns = Math.ceil(width / grain)
    const grains = Float32Array.from({ length: Math.ceil(height / grain) * columns * channels }, () =>
      random.uniform(-strength / 255, strength / 255),
    )
    return mapValues(image, (value, i) => {
      const pixel = Math.floor(i / channels)
      const [y, x] = [Math.floor(pixel / width), pixel % width]
      const at = (Math.floor(y / grain) * columns + Math.floor(x / grain)) * channels + (i % channels)
      return clip01(value + grains[at]!)
    })
  })
}

/**
 * Averages squares of `size` pixels, as a low resolution would.
 *
 * @param images - `[batch, height, width, channels]`.
 * @param options - `size`: side of a square in pixels, a positive integer.
 * @returns images of the same shape; the caller disposes them.
 * @throws Error when `size` is no positive integer or the images have not rank 4.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { pixelBlocks } from '@tfgraft/advprop'
 *
 * const coarse = pixelBlocks(tf.randomUniform([1, 20, 20, 3]) as tf.Tensor4D, { size: 4 })
 * ```
 */
export function pixelBlocks(images: tf.Tensor4D, { size = 4 }: { size?: number } = {}): tf.Tensor4D {
  if (!(Number.isInteger(size) && size >= 1))
    throw new Error(`pixelBlocks: \`size\` must be an integer of at least 1. Received size=${size}.`)
  checkImages('pixelBlocks', images)
  return mapImages(images, (image) => {
    const [height, width] = [image.height, image.width].map((side) => Math.max(1, Math.round(side / size)))
    return resizeBox(resizeBox(image, height!, width!), image.height, image.width)
  })
}

/**
 * A Gaussian blur; borders are repeated.
 *
 * @param images - `[batch, height, width, channels]`.
 * @param options - `sigma`: standard deviation in pixels, at least 0.
 * @returns images of the same shape; the caller disposes them.
 * @throws Error when `sigma` is negative or the images have not rank 4.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { blur } from '@tfgraft/advprop'
 *
 * const soft = blur(tf.randomUniform([1, 20, 20, 3]) as tf.Tensor4D, { sigma: 1.5 })
 * ```
 */
export function blur(images: tf.Tensor4D, { sigma = 1 }: { sigma?: number } = {}): tf.Tensor4D {
  if (!(sigma >= 0)) throw new Error(`blur: \`sigma\` must be at least 0. Received sigma=${sigma}.`)
  checkImages('blur', images)
  return mapImages(images, (image) => gaussianBlur(image, sigma))
}
