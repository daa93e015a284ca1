/** A folder of images, one subfolder per class, as a dataset. Node only: sharp decodes, in worker threads. */
import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import { LabelledImages, pixelStatistics } from '../labelled-images'
import { cached, type LoadProgress } from '../package-files'
import { decodeImages } from './decode-images'
import { listImages } from './list-images'

export interface ImageFolderOptions {
  /** Height and width that every image gets, in pixels. */
  size: number | readonly [height: number, width: number]
  /** 3: colour; 1: grey. @default 3 */
  channels?: 1 | 3
  /**
   * How an image of other proportions gets there: `'cover'` cuts off what is too much, in the middle; `'contain'` shows
   * all of it on `background`; `'fill'` distorts. @default 'cover'
   */
  fit?: 'cover' | 'contain' | 'fill'
  /** CSS colour behind transparent pixels, and around images with `'contain'`. @default 'black' */
  background?: string
  /**
   * Folder for the decoded images, which spares later loads the decoding; `false` for none. A changed, added or removed
   * file, and other options, make a new copy. @default `$XDG_CACHE_HOME/tfgraft` or `~/.cache/tfgraft`
   */
  cache?: string | false
  /** Worker threads that decode, at least 1. @default one per core */
  workers?: number
  /** Called as images are decoded. */
  onProgress?: (progress: LoadProgress) => void
}

/** Unreadable files that an error lists; the others are counted. */
const LISTED = 5

/**
 * Loads the images of a folder with one subfolder per class: `cats/1.jpg`, `dogs/breeds/2.png`. Class names are the
 * subfolders' names, sorted. JPEG, PNG, WebP, GIF, AVIF, TIFF and SVG; other and hidden files are left out. Images are
 * turned as the camera was held.
 *
 * Needs `npm install sharp` beside this package. All images are kept in memory as bytes: 10,000 of 224 x 224 x 3 are 1.5 GB.
 *
 * @param root - the folder.
 * @returns `[height, width, channels]` bytes with labels, ordered by class and file name: `split`, `shuffle` and `batches`
 *   (with `augment`) do the rest.
 * @throws Error when an option is invalid, the folder or a class holds no image, or a file cannot be decoded (the files
 *   are named), or sharp is not installed.
 *
 * @example
 * ```ts
 * import { mkdir, mkdtemp } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { horizontalFlip, randomResizedCrop } from '@tfgraft/datasets'
 * import { imageFolder } from '@tfgraft/datasets/node'
 * import sharp from 'sharp'
 *
 * const photos = await mkdtemp(`${tmpdir()}/photos-`)
 * for (const background of ['red', 'blue']) {
 *   await mkdir(`${photos}/${background}`)
 *   const image = sharp({ create: { width: 30, height: 20, channels: 3, background } })
 *   for (const name of ['1.png', '2.jpg']) await image.toFile(`${photos}/${background}/${name}`)
 * }
 *
 * const images = await imageFolder(photos, { size: 16, cache: false })
 * const [train, test] = images.split(0.75, 1)
 * const batches = train.batches({ batchSize: 2, shuffle: 1, augment: [randomResizedCrop(), horizontalFlip()] })
 * console.log(images.classNames, batches.size, test.count) // ['blue', 'red'], 2, 1
 * ```
 */
export async function imageFolder(root: string, options: ImageFolderOptions): Promise<LabelledImages> {
  const { size, channels = 3, fit = 'cover', background = 'black', cache, workers, onProgress } = options
  const [height, width] = typeof size === 'number' ? [size, size] : size
  const reject = (rule: string, received: unknown) => {
    throw new Error(`imageFolder: ${rule}. Received ${received}.`)
  }
  if (![height, width].every((side) => Number.isInteger(side) && side >= 1))
    reject('`size` must be positive integers', `size=${size}`)
  if (channels !== 1 && channels !== 3) reject('`channels` must be 1 or 3', `channels=${channels}`)
  if (!['cover', 'contain', 'fill'].includes(fit))
    reject("`fit` must be 'cover', 'contain' or 'fill'", `fit=${fit}`)
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 1))
    reject('`workers` must be a positive integer', `workers=${workers}`)

  onProgress?.({ message: `looking into ${root}`, fraction: 0 })
  const { classNames, files } = await listImages(root)
  const image = { height, width, channels, fit, background }
  const key = createHash('sha256')
    .update(JSON.stringify([1, resolve(root), files, image]))
    .digest('hex')
    .slice(0, 24)
  const accept = (bytes: Uint8Array) => {
    if (bytes.length !== files.length * height * width * channels)
      throw new Error(`imageFolder: the copy has ${bytes.length} bytes`) // made anew by `cached`
    return bytes
  }
  const pixels = await cached(`image-folder-${key}`, cache, accept, async () => {
    const decoded = await decodeImages(
      files.map(({ path }) => join(root, path)),
      {
        ...{ ...image, workers },
        onDecoded: (done, total) =>
          onProgress?.({ message: `decoded ${done} of ${total} images`, fraction: done / total }),
      },
    )
    const { failures } = decoded
    if (failures.length)
      reject(
        'every file must be an image that sharp can decode',
        `${failures.length} of ${files.length} that are not: ` +
          failures
            .slice(0, LISTED)
            .map(({ file, message }) => `${file} (${message})`)
            .join(', ') +
          (failures.length > LISTED ? ', ...' : ''),
      )
    return decoded.pixels
  })
  onProgress?.({ message: 'ready', fraction: 1 })
  const labels = files.map(({ label }) => label)
  return new LabelledImages({
    ...{ name: 'imageFolder', height, width, channels, classNames, pixels },
    labels: classNames.length > 256 ? Uint16Array.from(labels) : Uint8Array.from(labels),
    statistics: pixelStatistics(pixels),
  })
}
