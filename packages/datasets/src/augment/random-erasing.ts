/**
 * Random erasing: a random rectangle of the image is painted over.
 *
 * Paper: Zhong, Zheng, Kang, Li, Yang, "Random Erasing Data Augmentation", AAAI 2020, arXiv 1708.04896, algorithm 1, with
 * its defaults of scale and ratio.
 */
import { type Augmentation, checkProbability, checkRange, randomRectangle } from './augmentation'

export interface RandomErasingOptions {
  /** Of erasing, in [0, 1]. @default 0.5 */
  probability?: number
  /** Least and greatest part of the area, in (0, 1]. @default [0.02, 0.4] */
  scale?: readonly [number, number]
  /** Least and greatest width by height. @default [0.3, 1/0.3] */
  ratio?: readonly [number, number]
  /** The colour, 0 to 255, or noise that differs from pixel to pixel. @default 'noise' */
  value?: number | 'noise'
}

/**
 * An augmentation: paints over a random rectangle. The image stays whole where ten draws do not fit.
 *
 * @throws Error when an option is invalid.
 *
 * Paper: Zhong et al., arXiv 1708.04896, algorithm 1.
 *
 * @example
 * ```ts
 * import { mnist, randomErasing } from '@tfgraft/datasets'
 *
 * const { train } = await mnist()
 * const batches = train.batches({ batchSize: 64, shuffle: 1, augment: randomErasing({ value: 0 }) })
 * console.log(batches.size)
 * ```
 */
export function randomErasing({
  probability = 0.5,
  scale = [0.02, 0.4],
  ratio = [0.3, 1 / 0.3],
  value = 'noise',
}: RandomErasingOptions = {}): Augmentation {
  checkProbability('randomErasing', probability)
  checkRange('randomErasing', 'scale', scale, 1)
  checkRange('randomErasing', 'ratio', ratio)
  if (value !== 'noise' && !(value >= 0 && value <= 255))
    throw new Error(`randomErasing: \`value\` must be 'noise' or 0 to 255. Received value=${value}.`)
  return (image, random) => {
    if (random.uniform() >= probability) return image
    const part = randomRectangle(image, scale, ratio, random)
    if (!part) return image
    const data = image.data.slice()
    const row = part.width * image.channels
    for (let y = part.top; y < part.top + part.height; y++) {
      const from = (y * image.width + part.left) * image.channels
      for (let i = from; i < from + row; i++) data[i] = value === 'noise' ? random.integer(0, 256) : value
    }
    return { ...image, data }
  }
}
