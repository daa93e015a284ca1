/**
 * Images whose shape says one class and whose texture says another, and how often a classifier follows the shape.
 *
 * Paper: Geirhos, Rubisch, Michaelis, Bethge, Wichmann, Brendel, "ImageNet-trained CNNs are biased towards texture;
 * increasing shape bias improves accuracy and robustness", ICLR 2019, arXiv 1811.12231, section 2 (the measure).
 *
 * Differs from the paper: it transfers textures by neural style transfer. Here the silhouette of one image, told from
 * its background by Otsu's threshold, is filled with a patch of another image, mirrored until it covers the plane. That
 * needs no network and no download, but objects on a plain background.
 */
import * as tf from '@tensorflow/tfjs-core'
import { createRandom, type Random } from '@tfgraft/core'
import { checkLabels } from '../attacks/check-batch'
import { type AttackTarget, classifierOf } from '../attacks/target'
import { checkImages } from '../corruptions/corrupt'
import { luminance, type Raster } from '../corruptions/raster'

export interface CueConflictOptions {
  /** Images to make. @default 200 */
  count?: number
  /** Side of the texture's patch, in pixels. @default a third of the shorter side */
  patch?: number
  /**
   * How strongly the texture also fills the background, in [0, 1]: the stronger, the weaker the shape's cue. Textures by
   * style transfer cover the background too. @default 0
   */
  background?: number
  /** @default 0 */
  seed?: number
}

/** The caller disposes `images`. */
export interface CueConflict {
  images: tf.Tensor4D
  /** Class of each image's shape, and of its texture; never the same. */
  shapes: Int32Array
  textures: Int32Array
}

const LEVELS = 64

/** Otsu's threshold (1979): splits values into two groups of greatest variance between them. */
export function otsuThreshold(values: ArrayLike<number>): number {
  const histogram = new Float64Array(LEVELS)
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = 0; i < values.length; i++) {
    least = Math.min(least, values[i]!)
    greatest = Math.max(greatest, values[i]!)
  }
  const width = (greatest - least) / LEVELS || 1
  for (let i = 0; i < values.length; i++)
    histogram[Math.min(LEVELS - 1, Math.floor((values[i]! - least) / width))]! += 1 / values.length
  const mean = histogram.reduce((sum, p, level) => sum + p * level, 0)
  let [best, bestVariance, below, sum] = [0, -1, 0, 0]
  for (let level = 0; level < LEVELS - 1; level++) {
    below += histogram[level]!
    sum += histogram[level]! * level
    if (below === 0 || below >= 1) continue
    const variance = (mean * below - sum) ** 2 / (below * (1 - below))
    if (variance > bestVariance) [best, bestVariance] = [level, variance]
  }
  return least + (best + 1) * width
}

/** 1 where the object is: far, in brightness, from what the border shows. */
export function silhouette(image: Raster): Uint8Array {
  const { data, height, width } = luminance(image)
  const border = [...data].filter(
    (_, i) => i < width || i >= data.length - width || i % width === 0 || i % width === width - 1,
  )
  const background = border.sort((a, b) => a - b)[border.length >> 1]!
  const distances = Float32Array.from(data, (value) => Math.abs(value - background))
  const threshold = otsuThreshold(distances)
  return Uint8Array.from({ length: height * width }, (_, i) => (distances[i]! >= threshold ? 1 : 0))
}

/** The window of side `patch` that the object covers most; the first of equals in a random order. */
function fullestWindow(
  mask: Uint8Array,
  height: number,
  width: number,
  patch: number,
  random: Random,
): [number, number] {
  const places = random.shuffle(
    Array.from({ length: (height - patch + 1) * (width - patch + 1) }, (_, i) => i),
  )
  let [best, most] = [0, -1]
  for (const place of places) {
    const [top, left] = [Math.floor(place / (width - patch + 1)), place % (width - patch + 1)]
    let covered = 0
    for (let y = top; y < top + patch; y++)
      for (let x = left; x < left + patch; x++) covered += mask[y * width + x]!
    if (covered > most) [best, most] = [place, covered]
  }
  return [Math.floor(best / (width - patch + 1)), best % (width - patch + 1)]
}

/** The shape of one image, filled with the texture of another. */
function combine(
  shape: Raster,
  texture: Raster,
  { patch, background }: { patch: number; background: number },
  random: Random,
): Float32Array {
  const { height, width, channels } = shape
  const [top, left] = fullestWindow(silhouette(texture), height, width, patch, random)
  const mask = silhouette(shape)
  const mirrored = (i: number) => {
    const j = i % (2 * patch)
    return j < patch ? j : 2 * patch - 1 - j
  }
  const result = shape.data.slice()
  for (let i = 0; i < mask.length; i++) {
    const part = mask[i] ? 1 : background
    if (part === 0) continue
    const [y, x] = [Math.floor(i / width), i % width]
    const from = ((top + mirrored(y)) * width + left + mirrored(x)) * channels
    for (let c = 0; c < channels; c++) {
      const at = i * channels + c
      result[at] = part * texture.data[from + c]! + (1 - part) * result[at]!
    }
  }
  return result
}

/**
 * Makes cue-conflict images from any labelled images of objects on a plain background.
 *
 * @param images - `[count, height, width, channels]` in 0..1, of at least two classes.
 * @param labels - class indices `[count]` or one-hot `[count, classes]`.
 * @throws Error when there are not two classes, or `count`, `patch` or `background` is invalid.
 *
 * Paper: Geirhos et al., arXiv 1811.12231, section 2.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { cueConflict, shapeBias } from '@tfgraft/advprop'
 *
 * const images = tf.randomUniform([6, 12, 12, 1]) as tf.Tensor4D
 * const conflict = cueConflict(images, tf.tensor1d([0, 1, 2, 0, 1, 2], 'int32'), { count: 4 })
 * const logits = (x: tf.Tensor) => tf.slice(tf.reshape(x, [-1, 144]), [0, 0], [-1, 3])
 * console.log(shapeBias(logits, conflict))
 * ```
 */
export function cueConflict(
  images: tf.Tensor4D,
  labels: tf.Tensor,
  { count = 200, patch, background = 0, seed = 0 }: CueConflictOptions = {},
): CueConflict {
  checkImages('cueConflict', images)
  const [available, height, width, channels] = images.shape
  const side = patch ?? Math.max(1, Math.round(Math.min(height, width) / 3))
  checkLabels('cueConflict', labels, available)
  const classes = tf.tidy(() => (labels.rank === 2 ? tf.argMax(labels, 1) : labels).dataSync())
  if (new Set(classes).size < 2)
    throw new Error(
      `cueConflict: the images must have at least two classes. Received ${new Set(classes).size}.`,
    )
  if (!(Number.isInteger(count) && count >= 1))
    throw new Error(`cueConflict: \`count\` must be an integer of at least 1. Received count=${count}.`)
  if (!(Number.isInteger(side) && side >= 1 && side <= Math.min(height, width)))
    throw new Error(
      `cueConflict: \`patch\` must be an integer of 1 to the image's side. Received patch=${side}.`,
    )
  if (!(background >= 0 && background <= 1))
    throw new Error(`cueConflict: \`background\` must be in [0, 1]. Received background=${background}.`)
  const pixels = images.dataSync() as Float32Array
  const size = height * width * channels
  const raster = (i: number): Raster => ({
    data: pixels.slice(i * size, (i + 1) * size),
    height,
    width,
    channels,
  })
  const random = createRandom(seed)
  const result = new Float32Array(count * size)
  const [shapes, textures] = [new Int32Array(count), new Int32Array(count)]
  for (let n = 0; n < count; n++) {
    const shape = random.integer(0, available)
    let texture = random.integer(0, available)
    while (classes[texture] === classes[shape]) texture = random.integer(0, available)
    result.set(combine(raster(shape), raster(texture), { patch: side, background }, random.fork(n)), n * size)
    shapes[n] = classes[shape]!
    textures[n] = classes[texture]!
  }
  return { images: tf.tensor4d(result, [count, height, width, channels]), shapes, textures }
}

export interface ShapeBias {
  /** Of the images decided as either cue, the part decided by shape, in 0..1; NaN when there is none. */
  shapeBias: number
  /** Images decided as the shape's class, as the texture's, and as any other. */
  byShape: number
  byTexture: number
  neither: number
}

/**
 * How often a classifier follows the shape of cue-conflict images rather than their texture.
 *
 * @param target - a LayersModel, a GraphModel or a function from images (0..1) to logits.
 * @param conflict - from {@link cueConflict}.
 *
 * Paper: Geirhos et al., arXiv 1811.12231, section 2.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { shapeBias } from '@tfgraft/advprop'
 *
 * const conflict = { images: tf.zeros([2, 1, 2, 1]) as tf.Tensor4D, shapes: Int32Array.of(0, 0), textures: Int32Array.of(1, 1) }
 * console.log(shapeBias((x) => tf.add(tf.reshape(x, [-1, 2]), [1, 0]), conflict).shapeBias) // 1
 * ```
 */
export function shapeBias(target: AttackTarget, { images, shapes, textures }: CueConflict): ShapeBias {
  const decided = tf.tidy(() => tf.argMax(classifierOf(target).logits(images), 1).dataSync())
  let [byShape, byTexture] = [0, 0]
  decided.forEach((label, i) => {
    if (label === shapes[i]) byShape++
    else if (label === textures[i]) byTexture++
  })
  const either = byShape + byTexture
  return {
    shapeBias: either ? byShape / either : Number.NaN,
    byShape,
    byTexture,
    neither: decided.length - either,
  }
}
