/**
 * RandAugment: a few operations, drawn at random, of one common strength.
 *
 * Paper: Cubuk, Zoph, Shlens, Le, "RandAugment: Practical automated data augmentation with a reduced search space", 2020,
 * arXiv 1909.13719. Reference: torchvision's RandAugment, whose operations and ranges these are.
 *
 * Differs from the reference: our random numbers; pixels that come from outside of the image are black there and here.
 */
import { type Augmentation, blank, type ImageBytes } from './augmentation'
import {
  autoContrast,
  brightness,
  color,
  contrast,
  equalize,
  posterize,
  sharpness,
  solarize,
} from './photometric'

export interface RandAugmentOptions {
  /** How many operations follow each other, at least 1. @default 2 */
  operations?: number
  /** Their strength, 0 (none) to 30. @default 9 */
  magnitude?: number
}

/** Samples the image at `matrix` (x, y, 1), about its centre; the nearest pixel, black outside. */
export function affine(image: ImageBytes, [a, b, c, d, e, f]: readonly number[]): ImageBytes {
  const { data, height, width, channels } = image
  const result = blank(image, height, width)
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2]
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [u, v] = [x - cx, y - cy]
      const sx = Math.round(a! * u + b! * v + c! + cx)
      const sy = Math.round(d! * u + e! * v + f! + cy)
      if (sx < 0 || sy < 0 || sx >= width || sy >= height) continue
      const [to, from] = [(y * width + x) * channels, (sy * width + sx) * channels]
      for (let i = 0; i < channels; i++) result.data[to + i] = data[from + i]!
    }
  return result
}

const rotate = (image: ImageBytes, degrees: number) => {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)]
  return affine(image, [cos, -sin, 0, sin, cos, 0])
}

/** Strength `s` is in 0..1, of either sign for the operations that have one. */
type Operation = (image: ImageBytes, s: number) => ImageBytes

const TRANSLATION = 150 / 331 // of the side, at full strength

/** Operations of a strength with a sign, which is drawn. */
export const signed: Record<string, Operation> = {
  shearX: (image, s) => affine(image, [1, 0.3 * s, 0, 0, 1, 0]),
  shearY: (image, s) => affine(image, [1, 0, 0, 0.3 * s, 1, 0]),
  translateX: (image, s) => affine(image, [1, 0, Math.trunc(TRANSLATION * image.width * s), 0, 1, 0]),
  translateY: (image, s) => affine(image, [1, 0, 0, 0, 1, Math.trunc(TRANSLATION * image.height * s)]),
  rotate: (image, s) => rotate(image, 30 * s),
  brightness: (image, s) => brightness(image, 1 + 0.9 * s),
  color: (image, s) => color(image, 1 + 0.9 * s),
  contrast: (image, s) => contrast(image, 1 + 0.9 * s),
  sharpness: (image, s) => sharpness(image, 1 + 0.9 * s),
}

export const unsigned: Record<string, Operation> = {
  identity: (image) => image,
  posterize: (image, s) => posterize(image, 8 - Math.round(4 * s)),
  solarize: (image, s) => solarize(image, 256 * (1 - s)),
  autoContrast,
  equalize,
}

const all: Operation[] = [...Object.values(signed), ...Object.values(unsigned)]
const signedCount = Object.keys(signed).length
const GREATEST = 30

/**
 * An augmentation: `operations` of fourteen, drawn with replacement, each at strength `magnitude`.
 *
 * @throws Error when an option is invalid.
 *
 * Paper: Cubuk et al., arXiv 1909.13719, section 3.
 *
 * @example
 * ```ts
 * import { fashionMnist, horizontalFlip, randAugment } from '@tfgraft/datasets'
 *
 * const { train } = await fashionMnist()
 * const augment = [horizontalFlip(), randAugment({ operations: 2, magnitude: 9 })]
 * console.log(train.batches({ batchSize: 64, shuffle: 1, augment }).size)
 * ```
 */
export function randAugment({ operations = 2, magnitude = 9 }: RandAugmentOptions = {}): Augmentation {
  if (!(Number.isInteger(operations) && operations >= 1))
    throw new Error(
      `randAugment: \`operations\` must be a positive integer. Received operations=${operations}.`,
    )
  if (!(magnitude >= 0 && magnitude <= GREATEST))
    throw new Error(`randAugment: \`magnitude\` must be 0 to ${GREATEST}. Received magnitude=${magnitude}.`)
  return (image, random) => {
    let result = image
    for (let i = 0; i < operations; i++) {
      const index = random.integer(0, all.length)
      const sign = index < signedCount && random.uniform() < 0.5 ? -1 : 1
      result = all[index]!(result, (sign * magnitude) / GREATEST)
    }
    return result
  }
}
