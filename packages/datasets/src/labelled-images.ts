/** Labelled images as bytes, and the forms in which training wants them. */
import * as tf from '@tensorflow/tfjs-core'
import { createRandom, type Random } from '@tfgraft/core'
import type { Augmentation, ImageBytes } from './augment/augmentation'

/** How images and labels are handed out. */
export interface FormOptions {
  /** `image`: `[count, height, width, channels]`. `flat`: `[count, height * width * channels]`. @default 'image' */
  form?: 'image' | 'flat'
  /**
   * `unit`: 0 to 1. `standard`: minus the mean, divided by the standard deviation, both over all pixels of the
   * training split. `none`: 0 to 255. @default 'unit'
   */
  normalize?: 'unit' | 'standard' | 'none'
  /** `oneHot`: float32 `[count, classes]`. `index`: int32 `[count]`. @default 'oneHot' */
  labels?: 'oneHot' | 'index'
}

export interface BatchOptions extends FormOptions {
  /** Examples per batch; the last may be smaller. A positive integer. */
  batchSize: number
  /** Seed of the order, which differs from epoch to epoch. Without it: the stored order. */
  shuffle?: number
  /** Leave out a last batch that is smaller than `batchSize`. @default false */
  dropRemainder?: boolean
  /**
   * Changes every image anew each epoch, such as {@link randomResizedCrop}; of several, in their order. Seeded by
   * `shuffle` (0 without it), epoch and image.
   */
  augment?: Augmentation | readonly Augmentation[]
}

/** Images and labels as typed arrays. */
export interface ImageArrays {
  xs: Float32Array
  /** Float32 when one-hot, int32 when indices. */
  ys: Float32Array | Int32Array
  xShape: number[]
  yShape: number[]
}

/**
 * Minibatches that `model.fitDataset`, tfgraft's `fit` and `for await` accept. Each `iterator()` is one epoch.
 * Tensors are made when a batch is asked for, so a big dataset costs one batch of tensor memory.
 */
export interface Batches {
  /** Batches per epoch. */
  readonly size: number
  iterator(): Promise<BatchIterator>
  [Symbol.asyncIterator](): BatchIterator
}

/** One epoch. The caller disposes the tensors. */
export interface BatchIterator {
  next(): Promise<IteratorResult<{ xs: tf.Tensor; ys: tf.Tensor }, null>>
}

/** Mean and standard deviation of all pixels, on the scale 0 to 1. */
export interface PixelStatistics {
  mean: number
  std: number
}

export interface ImageSource {
  name: string
  /** `[count, height, width, channels]`, 0 to 255. */
  pixels: Uint8Array
  /** Class index of each image. */
  labels: Uint8Array | Uint16Array
  height: number
  width: number
  channels: number
  classNames: readonly string[]
  statistics: PixelStatistics
}

/**
 * An immutable selection of labelled images. Selecting and shuffling copy no pixels.
 *
 * {@link mnist} and {@link fashionMnist} return it; your own bytes become one by the constructor.
 *
 * @example
 * ```ts
 * import { LabelledImages } from '@tfgraft/datasets'
 *
 * const crosses = new LabelledImages({
 *   name: 'crosses',
 *   pixels: Uint8Array.of(255, 0, 0, 255, 0, 255, 255, 0), // two images of 2 x 2
 *   labels: Uint8Array.of(0, 1),
 *   height: 2,
 *   width: 2,
 *   channels: 1,
 *   classNames: ['falling', 'rising'],
 *   statistics: { mean: 0.5, std: 0.5 },
 * })
 * for await (const { xs, ys } of crosses.batches({ batchSize: 1, shuffle: 1 })) {
 *   console.log(xs.shape, ys.dataSync()) // [1, 2, 2, 1]
 *   xs.dispose()
 *   ys.dispose()
 * }
 * ```
 */
export class LabelledImages {
  readonly #source: ImageSource
  readonly #order: Uint32Array

  /** @param order Which images of `source`, in which order. Default: all, as stored. */
  constructor(source: ImageSource, order?: Uint32Array) {
    const { name, pixels, labels, height, width, channels, classNames } = source
    if (pixels.length !== labels.length * height * width * channels)
      throw new Error(
        `LabelledImages: \`pixels\` must have labels * height * width * channels values. Received ` +
          `name=${name}, pixels=${pixels.length}, labels=${labels.length}, ${height} x ${width} x ${channels}.`,
      )
    const stray = labels.find((label) => label >= classNames.length)
    if (stray !== undefined)
      throw new Error(
        `LabelledImages: labels must be below ${classNames.length}, the number of classes. Received ${stray}.`,
      )
    this.#source = source
    this.#order = order ?? Uint32Array.from(source.labels, (_, i) => i)
  }

  /** Number of images. */
  get count(): number {
    return this.#order.length
  }
  /** `[height, width, channels]`. */
  get imageShape(): [number, number, number] {
    return [this.#source.height, this.#source.width, this.#source.channels]
  }
  /** Name of each class, by label. */
  get classNames(): readonly string[] {
    return this.#source.classNames
  }
  /** Pixel statistics of the training split. */
  get statistics(): PixelStatistics {
    return this.#source.statistics
  }

  /** The label of image `index`. */
  label(index: number): number {
    return this.#source.labels[this.#order[this.#checkIndex(index)]!]!
  }

  /** The bytes of image `index`, `[height, width, channels]`, 0 to 255: a view, not a copy. */
  bytes(index: number): Uint8Array {
    const [height, width, channels] = this.imageShape
    const size = height * width * channels
    const start = this.#order[this.#checkIndex(index)]! * size
    return this.#source.pixels.subarray(start, start + size)
  }

  /** The same images in an order fixed by `seed`. */
  shuffle(seed: number): LabelledImages {
    this.#checkSeed(seed)
    return new LabelledImages(this.#source, shuffled(this.#order, createRandom(seed)))
  }

  /** Images `start` to `end` (exclusive), as `Array.slice` counts. */
  slice(start: number, end?: number): LabelledImages {
    return new LabelledImages(this.#source, this.#order.slice(start, end))
  }

  /** The first `count` images. */
  take(count: number): LabelledImages {
    if (!Number.isInteger(count) || count < 0 || count > this.count)
      throw new Error(`${this.#source.name}: \`count\` must be 0 to ${this.count}. Received count=${count}.`)
    return this.slice(0, count)
  }

  /**
   * Two disjoint selections, drawn by `seed`: the first has `fraction` of the images (0 to 1, exclusive), rounded.
   * For a validation split: `const [train, validation] = data.train.split(0.9, 1)`.
   */
  split(fraction: number, seed: number): [LabelledImages, LabelledImages] {
    if (!(fraction > 0 && fraction < 1))
      throw new Error(
        `${this.#source.name}: \`fraction\` must be between 0 and 1. Received fraction=${fraction}.`,
      )
    const shuffled = this.shuffle(seed)
    const first = Math.round(fraction * this.count)
    return [shuffled.slice(0, first), shuffled.slice(first)]
  }

  /** All images and labels as typed arrays. */
  arrays(options: FormOptions = {}): ImageArrays {
    return this.#arrays(this.#order, options)
  }

  /** All images and labels as tensors. The caller disposes them. */
  tensors(options: FormOptions = {}): { xs: tf.Tensor; ys: tf.Tensor } {
    return toTensors(this.arrays(options))
  }

  /** Minibatches for `fitDataset`, `fit` and `for await`. */
  batches({ batchSize, shuffle, dropRemainder = false, augment, ...form }: BatchOptions): Batches {
    if (!Number.isInteger(batchSize) || batchSize < 1)
      throw new Error(
        `${this.#source.name}: \`batchSize\` must be a positive integer. Received batchSize=${batchSize}.`,
      )
    if (shuffle !== undefined) this.#checkSeed(shuffle)
    const order = this.#order
    const size = dropRemainder ? Math.floor(this.count / batchSize) : Math.ceil(this.count / batchSize)
    let epoch = 0
    const iterate = () => {
      const drawn =
        shuffle === undefined ? order : shuffled(order, createRandom(shuffle).fork(`epoch ${epoch}`))
      const random = createRandom(shuffle ?? 0).fork(`augment ${epoch}`)
      const chain = augment && [augment].flat()
      const change =
        chain && ((image: ImageBytes, index: number) => applyAll(chain, image, random.fork(index)))
      epoch++
      let batch = 0
      return {
        next: async () => {
          if (batch >= size) return { value: null, done: true as const }
          const indices = drawn.subarray(batch * batchSize, (batch + 1) * batchSize)
          batch++
          return { value: toTensors(this.#arrays(indices, form, change)), done: false as const }
        },
      }
    }
    return { size, iterator: async () => iterate(), [Symbol.asyncIterator]: iterate }
  }

  #arrays(
    indices: Uint32Array,
    { form = 'image', normalize = 'unit', labels = 'oneHot' }: FormOptions,
    change: (image: ImageBytes, index: number) => ImageBytes = (image) => image,
  ): ImageArrays {
    const { name, pixels, classNames } = this.#source
    const received = Object.entries({ form, normalize, labels })
    for (const [option, value] of received)
      if (!choices[option as keyof FormOptions].includes(value))
        throw new Error(
          `${name}: \`${option}\` must be one of ${choices[option as keyof FormOptions].join(', ')}. ` +
            `Received ${option}=${value}.`,
        )
    const [storedHeight, storedWidth, channels] = this.imageShape
    const stored = storedHeight * storedWidth * channels
    const level = this.#levels(normalize)
    let [height, width, size, xs] = [storedHeight, storedWidth, stored, new Float32Array(0)]
    indices.forEach((index, i) => {
      const data = pixels.subarray(index * stored, (index + 1) * stored)
      const image = change({ data, height: storedHeight, width: storedWidth, channels }, index)
      if (i === 0) {
        // An augmentation may change the size, to the same for all images.
        ;({ height, width } = image)
        size = height * width * channels
        xs = new Float32Array(indices.length * size)
      } else if (image.height !== height || image.width !== width)
        throw new Error(
          `${name}: \`augment\` must give all images one size. Received ${height} x ${width} and ${image.height} x ${image.width}.`,
        )
      for (let k = 0, to = i * size; k < size; k++) xs[to++] = level[image.data[k]!]!
    })
    const classes = classNames.length
    const ys =
      labels === 'index' ? new Int32Array(indices.length) : new Float32Array(indices.length * classes)
    indices.forEach((index, i) => {
      const label = this.#source.labels[index]!
      if (labels === 'index') ys[i] = label
      else ys[i * classes + label] = 1
    })
    return {
      xs,
      ys,
      xShape: form === 'flat' ? [indices.length, size] : [indices.length, height, width, channels],
      yShape: labels === 'index' ? [indices.length] : [indices.length, classes],
    }
  }

  /** The value of each of the 256 pixel levels: normalising is one table look-up per pixel. */
  #levels(normalize: NonNullable<FormOptions['normalize']>): Float32Array {
    const { mean, std } = this.#source.statistics
    return Float32Array.from({ length: 256 }, (_, level) => {
      if (normalize === 'none') return level
      return normalize === 'unit' ? level / 255 : (level / 255 - mean) / std
    })
  }

  #checkIndex(index: number): number {
    if (!Number.isInteger(index) || index < 0 || index >= this.count)
      throw new Error(
        `${this.#source.name}: \`index\` must be 0 to ${this.count - 1}. Received index=${index}.`,
      )
    return index
  }

  #checkSeed(seed: number): void {
    if (!Number.isInteger(seed))
      throw new Error(`${this.#source.name}: \`seed\` must be an integer. Received seed=${seed}.`)
  }
}

const applyAll = (chain: readonly Augmentation[], image: ImageBytes, random: Random) =>
  chain.reduce((changed, augment, i) => augment(changed, random.fork(i)), image)

const shuffled = (order: Uint32Array, random: Random) => Uint32Array.from(random.shuffle(order))

const choices: Record<keyof FormOptions, readonly string[]> = {
  form: ['image', 'flat'],
  normalize: ['unit', 'standard', 'none'],
  labels: ['oneHot', 'index'],
}

function toTensors({ xs, ys, xShape, yShape }: ImageArrays): { xs: tf.Tensor; ys: tf.Tensor } {
  return {
    xs: tf.tensor(xs, xShape, 'float32'),
    ys: tf.tensor(ys, yShape, ys instanceof Int32Array ? 'int32' : 'float32'),
  }
}

/** Mean and standard deviation of bytes, on the scale 0 to 1. */
export function pixelStatistics(pixels: Uint8Array): PixelStatistics {
  const histogram = new Float64Array(256)
  for (let i = 0; i < pixels.length; i++) histogram[pixels[i]!]! += 1
  const moment = (power: number) =>
    histogram.reduce((sum, count, level) => sum + count * (level / 255) ** power, 0) / pixels.length
  const mean = moment(1)
  return { mean, std: Math.sqrt(moment(2) - mean ** 2) }
}
