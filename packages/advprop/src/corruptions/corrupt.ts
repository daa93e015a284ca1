/**
 * The fifteen common corruptions of ImageNet-C on images of any size, seeded.
 *
 * Paper: Hendrycks, Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations",
 * ICLR 2019, arXiv 1903.12261, section 4.1. Reference: hendrycks/robustness.
 *
 * Differs from the reference: frost is generated, not photographed; glass blur swaps pixels (the reference's swap writes
 * one of them twice); Poisson numbers above 60 are rounded normal ones; values are not stored as bytes in between (but
 * by glass blur and JPEG); lengths are scaled to the image's size. Random numbers are ours, so images are not theirs
 * pixel by pixel.
 */
import * as tf from '@tensorflow/tfjs-core'
import { createRandom, type Random } from '@tfgraft/core'
import { checkRange } from '../attacks/check-batch'
import { defocusBlur, elastic, glassBlur, motionBlur, zoomBlur } from './blur'
import { brightness, contrast, jpeg, pixelate } from './digital'
import { gaussianNoise, impulseNoise, shotNoise } from './noise'
import { type CorruptionKind, type CorruptionParameters, cifar, imagenet } from './parameters'
import type { Raster } from './raster'
import { fog, frost, snow } from './weather'

export type Severity = 1 | 2 | 3 | 4 | 5

export interface CorruptOptions {
  /** Each image's randomness depends on the seed, the kind, the severity and the image's place in the batch. @default 0 */
  seed?: number
  /**
   * Whose parameters: `'imagenet'` (made for 224 pixels), `'cifar'` (for 32 pixels), lengths scaled to the shorter
   * side. @default 'cifar' for images whose shorter side is at most 64 pixels, else 'imagenet'
   */
  parameters?: 'imagenet' | 'cifar'
}

type Corruption = (image: Raster, p: CorruptionParameters, s: number, random: Random, scale: number) => Raster

const kinds: Record<CorruptionKind, Corruption> = {
  gaussianNoise: (image, p, s, random) => gaussianNoise(image, p.gaussianNoise[s]!, random),
  shotNoise: (image, p, s, random) => shotNoise(image, p.shotNoise[s]!, random),
  impulseNoise: (image, p, s, random) => impulseNoise(image, p.impulseNoise[s]!, random),
  defocusBlur: (image, p, s, _, scale) =>
    defocusBlur(image, p.defocusBlur[s]![0] * scale, p.defocusBlur[s]![1]),
  glassBlur: (image, p, s, random, scale) => {
    const [sigma, distance, iterations] = p.glassBlur[s]!
    return glassBlur(image, sigma * scale, Math.max(1, Math.round(distance * scale)), iterations, random)
  },
  motionBlur: (image, p, s, random, scale) => {
    const [radius, sigma] = p.motionBlur[s]!
    return motionBlur(image, radius * scale, sigma * scale, random.uniform(-45, 45))
  },
  zoomBlur: (image, p, s) => zoomBlur(image, ...p.zoomBlur[s]!),
  snow: (image, p, s, random, scale) => {
    const [mean, std, zoom, least, radius, sigma, blend] = p.snow[s]!
    return snow(
      image,
      { mean, std, zoom, least, radius: radius * scale, sigma: sigma * scale, blend },
      random,
    )
  },
  frost: (image, p, s, random) => frost(image, ...p.frost[s]!, random),
  fog: (image, p, s, random) => fog(image, ...p.fog[s]!, random),
  brightness: (image, p, s) => brightness(image, p.brightness[s]!),
  contrast: (image, p, s) => contrast(image, p.contrast[s]!),
  elastic: (image, p, s, random, scale) => {
    const [alpha, sigma, affine] = p.elastic[s]!
    return elastic(image, alpha * scale, sigma * scale, affine * scale, random)
  },
  pixelate: (image, p, s) => pixelate(image, p.pixelate[s]!),
  jpeg: (image, p, s) => jpeg(image, p.jpeg[s]!),
}

/** The names of the fifteen corruptions, in the paper's order. */
export const corruptions = Object.keys(kinds) as readonly CorruptionKind[]

/** Applies `f` to every image of a batch `[batch, height, width, channels]`. */
export function mapImages(images: tf.Tensor4D, f: (image: Raster, index: number) => Raster): tf.Tensor4D {
  const [batch, height, width, channels] = images.shape
  const size = height * width * channels
  const values = images.dataSync() as Float32Array
  const result = new Float32Array(values.length)
  for (let n = 0; n < batch; n++) {
    const data = values.slice(n * size, (n + 1) * size)
    result.set(f({ data, height, width, channels }, n).data, n * size)
  }
  return tf.tensor4d(result, images.shape)
}

/** Rejects what is not a batch of images in 0..1. */
export function checkImages(name: string, images: tf.Tensor): void {
  if (images.rank !== 4)
    throw new Error(
      `${name}: images must be [batch, height, width, channels]. Received shape=[${images.shape}].`,
    )
  checkRange(name, images, '0 to 1')
}

/**
 * Corrupts images as ImageNet-C and CIFAR-10-C do. Runs on the CPU, whatever the backend.
 *
 * @param images - `[batch, height, width, channels]` in 0..1, any size, any number of channels.
 * @param kind - one of {@link corruptions}.
 * @param severity - 1 to 5.
 * @returns images of the same shape in 0..1; the caller disposes them.
 * @throws Error when `kind` or `severity` is unknown, or the images have not rank 4 or leave 0..1.
 *
 * Paper: Hendrycks & Dietterich, arXiv 1903.12261, section 4.1.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { corrupt, corruptions } from '@tfgraft/advprop'
 *
 * const images = tf.randomUniform([2, 32, 32, 3]) as tf.Tensor4D
 * const foggy = corrupt(images, 'fog', 3, { seed: 1 })
 * console.log(corruptions.length, foggy.shape) // 15, [2, 32, 32, 3]
 * ```
 */
export function corrupt(
  images: tf.Tensor4D,
  kind: CorruptionKind,
  severity: Severity,
  { seed = 0, parameters }: CorruptOptions = {},
): tf.Tensor4D {
  if (!(kind in kinds))
    throw new Error(`corrupt: \`kind\` must be one of ${corruptions.join(', ')}. Received kind=${kind}.`)
  if (![1, 2, 3, 4, 5].includes(severity))
    throw new Error(`corrupt: \`severity\` must be 1, 2, 3, 4 or 5. Received severity=${severity}.`)
  checkImages('corrupt', images)
  const side = Math.min(images.shape[1], images.shape[2])
  const p = (parameters ?? (side <= 64 ? 'cifar' : 'imagenet')) === 'cifar' ? cifar : imagenet
  const random = createRandom(seed).fork(`${kind} ${severity}`)
  return mapImages(images, (image, n) => kinds[kind](image, p, severity - 1, random.fork(n), side / p.size))
}
