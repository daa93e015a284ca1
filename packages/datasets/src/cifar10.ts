/**
 * CIFAR-10: 32 x 32 colour images of ten classes, 50,000 for training and 10,000 for testing, in the official split.
 *
 * A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009. Nothing on npm carries it: this reads
 * the files of the author's "CIFAR-10 binary version", unpacked.
 */
import { LabelledImages, pixelStatistics } from './labelled-images'
import type { ImageDataset } from './mnist'
import { type LoadProgress, openFolder, openUrl } from './package-files'

export interface Cifar10Options {
  /** Where `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin` lie (Node only). */
  folder?: string
  /** Their address, for browsers: they are fetched as `${baseUrl}/data_batch_1.bin` and so on. */
  baseUrl?: string
  /** Called as files are read. */
  onProgress?: (progress: LoadProgress) => void
}

const classNames = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
] as const
const side = 32
const pixels = side * side
const recordBytes = 1 + 3 * pixels

/**
 * Loads CIFAR-10 from the files of its binary version.
 *
 * @returns Both splits, `[32, 32, 3]` bytes and labels 0 to 9.
 * @throws When neither or both of `folder` and `baseUrl` are given, and when a file is missing or is not CIFAR-10.
 *
 * @example
 * ```ts no-run
 * import { cifar10 } from '@tfgraft/datasets'
 *
 * const { train, test } = await cifar10({ folder: './cifar-10-batches-bin' })
 * console.log(train.count, test.count) // 50000 10000
 * ```
 */
export async function cifar10({ folder, baseUrl, onProgress }: Cifar10Options): Promise<ImageDataset> {
  if ((folder === undefined) === (baseUrl === undefined))
    throw new Error(
      `cifar10: one of \`folder\` and \`baseUrl\` must say where the files are. Received folder=${folder}, baseUrl=${baseUrl}.`,
    )
  const read = folder === undefined ? openUrl(baseUrl!, 'cifar10') : await openFolder(folder, 'cifar10')
  const load = async (files: string[]) => {
    const parts: Split[] = []
    for (const file of files) {
      onProgress?.({ message: `reading ${file}`, fraction: names.indexOf(file) / names.length })
      parts.push(parseRecords(await read(file), file))
    }
    return join(parts)
  }
  const [train, test] = [await load(trainFiles), await load(testFiles)]
  onProgress?.({ message: 'ready', fraction: 1 })
  const shared = {
    name: 'cifar10',
    height: side,
    width: side,
    channels: 3,
    classNames: [...classNames],
    statistics: pixelStatistics(train.pixels),
  }
  return {
    train: new LabelledImages({ ...shared, ...train }),
    test: new LabelledImages({ ...shared, ...test }),
  }
}

interface Split {
  pixels: Uint8Array
  labels: Uint8Array
}

const trainFiles = [1, 2, 3, 4, 5].map((part) => `data_batch_${part}.bin`)
const testFiles = ['test_batch.bin']
const names = [...trainFiles, ...testFiles]

/** A record is a label and three planes of 32 x 32; images here have their three channels side by side. */
function parseRecords(bytes: Uint8Array, file: string): Split {
  const count = bytes.length / recordBytes
  if (count === 0 || !Number.isInteger(count))
    throw new Error(
      `cifar10: ${file} must have records of ${recordBytes} bytes. Received ${bytes.length} bytes.`,
    )
  const images = new Uint8Array(count * 3 * pixels)
  const labels = new Uint8Array(count)
  for (let record = 0; record < count; record++) {
    const from = record * recordBytes
    const label = bytes[from]!
    if (label >= classNames.length)
      throw new Error(`cifar10: labels in ${file} must be 0 to 9. Received ${label} in record ${record}.`)
    labels[record] = label
    for (let channel = 0; channel < 3; channel++)
      for (let p = 0; p < pixels; p++)
        images[record * 3 * pixels + 3 * p + channel] = bytes[from + 1 + channel * pixels + p]!
  }
  return { pixels: images, labels }
}

function join(parts: Split[]): Split {
  const concatenate = (arrays: Uint8Array[]) => {
    const all = new Uint8Array(arrays.reduce((length, array) => length + array.length, 0))
    let at = 0
    for (const array of arrays) {
      all.set(array, at)
      at += array.length
    }
    return all
  }
  return {
    pixels: concatenate(parts.map((part) => part.pixels)),
    labels: concatenate(parts.map((part) => part.labels)),
  }
}
