/**
 * Random resized crop: a random part of the image, stretched to a fixed size.
 *
 * Paper: Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, arXiv 1409.4842, section 6. Reference: torchvision's
 * RandomResizedCrop, with its defaults.
 */
import { type Augmentation, blank, checkRange, type ImageBytes, randomRectangle } from './augmentation'

export interface RandomResizedCropOptions {
  /** Height and width of the result, in pixels. @default those of the image */
  size?: number | readonly [height: number, width: number]
  /** Least and greatest part of the image's area, in (0, 1]. @default [0.08, 1] */
  scale?: readonly [number, number]
  /** Least and greatest width by height of the part. @default [3/4, 4/3] */
  ratio?: readonly [number, number]
}

/** The pixels that make one output pixel along an axis, and their weights. */
interface Tap {
  first: number
  weights: number[]
}

/** A triangle filter, widened when shrinking so that every input pixel counts (no aliasing). */
function taps(start: number, length: number, output: number): Tap[] {
  const scale = length / output
  const support = Math.max(1, scale)
  return Array.from({ length: output }, (_, i) => {
    const centre = (i + 0.5) * scale
    const first = Math.max(0, Math.floor(centre - support + 0.5))
    const last = Math.min(length, Math.floor(centre + support + 0.5))
    const weights = Array.from({ length: last - first }, (_, j) =>
      Math.max(0, 1 - Math.abs(first + j + 0.5 - centre) / support),
    )
    const sum = weights.reduce((a, b) => a + b, 0)
    return { first: start + first, weights: weights.map((w) => w / sum) }
  })
}

/** A part of an image, resized by a triangle filter: rows first, then columns. */
export function cropAndResize(
  image: ImageBytes,
  part: { top: number; left: number; height: number; width: number },
  height: number,
  width: number,
): ImageBytes {
  const { channels } = image
  const stride = image.width * channels
  const across = new Float32Array(part.height * width * channels)
  taps(part.left, part.width, width).forEach(({ first, weights }, x) => {
    for (let y = 0; y < part.height; y++)
      for (let c = 0; c < channels; c++) {
        let from = (part.top + y) * stride + first * channels + c
        let sum = 0
        for (let i = 0; i < weights.length; i++, from += channels) sum += weights[i]! * image.data[from]!
        across[(y * width + x) * channels + c] = sum
      }
  })
  const result = blank(image, height, width)
  const row = width * channels
  taps(0, part.height, height).forEach(({ first, weights }, y) => {
    for (let x = 0; x < row; x++) {
      let sum = 0.5 // rounds
      for (let i = 0; i < weights.length; i++) sum += weights[i]! * across[(first + i) * row + x]!
      result.data[y * row + x] = Math.min(255, sum)
    }
  })
  return result
}

/**
 * An augmentation: a random part of the image, stretched to `size`. Where ten draws do not fit, the greatest part in the
 * middle whose shape `ratio` allows.
 *
 * @throws Error when an option is invalid.
 *
 * Paper: Szegedy et al., arXiv 1409.4842, section 6.
 *
 * @example
 * ```ts
 * import { mnist, randomResizedCrop } from '@tfgraft/datasets'
 *
 * const { test } = await mnist()
 * const batches = test.take(8).batches({ batchSize: 8, shuffle: 1, augment: randomResizedCrop({ scale: [0.6, 1] }) })
 * for await (const { xs } of batches) console.log(xs.shape) // [8, 28, 28, 1]
 * ```
 */
export function randomResizedCrop({
  size,
  scale = [0.08, 1],
  ratio = [3 / 4, 4 / 3],
}: RandomResizedCropOptions = {}): Augmentation {
  checkRange('randomResizedCrop', 'scale', scale, 1)
  checkRange('randomResizedCrop', 'ratio', ratio)
  const sides = size === undefined ? undefined : typeof size === 'number' ? [size, size] : size
  if (sides && !sides.every((side) => Number.isInteger(side) && side >= 1))
    throw new Error(`randomResizedCrop: \`size\` must be positive integers. Received size=${sides}.`)
  return (image, random) => {
    const [height, width] = sides ?? [image.height, image.width]
    const part = randomRectangle(image, scale, ratio, random) ?? middle(image, ratio)
    return cropAndResize(image, part, height!, width!)
  }
}

function middle({ height, width }: ImageBytes, [least, greatest]: readonly [number, number]) {
  const aspect = Math.min(greatest, Math.max(least, width / height))
  const w = Math.min(width, Math.round(height * aspect))
  const h = Math.min(height, Math.round(width / aspect))
  return { top: (height - h) >> 1, left: (width - w) >> 1, height: h, width: w }
}
