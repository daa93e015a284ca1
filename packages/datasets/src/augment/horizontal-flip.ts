import { type Augmentation, blank, checkProbability, type ImageBytes } from './augmentation'

/** The mirror image. */
export function mirrored(image: ImageBytes): ImageBytes {
  const { data, height, width, channels } = image
  const result = blank(image, height, width)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [to, from] = [(y * width + x) * channels, (y * width + width - 1 - x) * channels]
      for (let c = 0; c < channels; c++) result.data[to + c] = data[from + c]!
    }
  return result
}

/**
 * An augmentation: the mirror image, left for right.
 *
 * @param options.probability Of mirroring, in [0, 1]. Default 0.5.
 * @throws Error when `probability` is not in [0, 1].
 *
 * @example
 * ```ts
 * import { fashionMnist, horizontalFlip } from '@tfgraft/datasets'
 *
 * const { train } = await fashionMnist()
 * const batches = train.batches({ batchSize: 64, shuffle: 1, augment: horizontalFlip() })
 * console.log(batches.size)
 * ```
 */
export function horizontalFlip({ probability = 0.5 }: { probability?: number } = {}): Augmentation {
  checkProbability('horizontalFlip', probability)
  return (image, random) => (random.uniform() < probability ? mirrored(image) : image)
}
