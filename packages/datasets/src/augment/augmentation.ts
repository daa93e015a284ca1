/** What an augmentation is: a seeded function from an image to an image. */
import type { Random } from '@tfgraft/core'

/** An image as bytes, 0 to 255, `[height, width, channels]` row by row. */
export interface ImageBytes {
  data: Uint8Array
  height: number
  width: number
  channels: number
}

/**
 * Makes a changed copy of an image, or returns it as it is. All randomness comes from `random`, which is the image's
 * own: it depends on the seed, the epoch and the image, not on the batch or on other augmentations' draws before it.
 */
export type Augmentation = (image: ImageBytes, random: Random) => ImageBytes

/** An image of `height` x `width` with the channels of `image`, black. */
export const blank = ({ channels }: ImageBytes, height: number, width: number): ImageBytes => ({
  data: new Uint8Array(height * width * channels),
  height,
  width,
  channels,
})

/** Every byte through a table of 256. */
export const mapBytes = (image: ImageBytes, table: ArrayLike<number>): ImageBytes => ({
  ...image,
  data: image.data.map((value) => table[value]!),
})

/** Rejects what is not a probability. */
export function checkProbability(name: string, probability: number): void {
  if (!(probability >= 0 && probability <= 1))
    throw new Error(`${name}: \`probability\` must be in [0, 1]. Received probability=${probability}.`)
}

/** Rejects what is not a range of positive numbers, at most `greatest`. */
export function checkRange(
  name: string,
  option: string,
  [low, high]: readonly [number, number],
  greatest = Number.POSITIVE_INFINITY,
): void {
  if (!(low > 0 && low <= high && high <= greatest))
    throw new Error(
      `${name}: \`${option}\` must be two numbers, 0 < low <= high${Number.isFinite(greatest) ? ` <= ${greatest}` : ''}. ` +
        `Received ${option}=[${low}, ${high}].`,
    )
}

/**
 * A random rectangle within an image: its part of the area from `scale`, its width by its height from `ratio`, evenly on
 * a logarithmic scale. Null when ten draws do not fit.
 */
export function randomRectangle(
  { height, width }: ImageBytes,
  scale: readonly [number, number],
  ratio: readonly [number, number],
  random: Random,
): { top: number; left: number; height: number; width: number } | null {
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = height * width * random.uniform(...scale)
    const aspect = Math.exp(random.uniform(Math.log(ratio[0]), Math.log(ratio[1])))
    const [h, w] = [Math.round(Math.sqrt(area / aspect)), Math.round(Math.sqrt(area * aspect))]
    if (h < 1 || w < 1 || h > height || w > width) continue
    return {
      top: random.integer(0, height - h + 1),
      left: random.integer(0, width - w + 1),
      height: h,
      width: w,
    }
  }
  return null
}
