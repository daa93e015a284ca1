/** Changes of brightness and colour, as Pillow defines them: bytes in, bytes out. */
import { type ImageBytes, mapBytes } from './augmentation'

const LEVELS = Array.from({ length: 256 }, (_, level) => level)
const byte = (value: number) => Math.min(255, Math.max(0, Math.round(value)))

/** Luma of every pixel, of which grey images are their own. */
function luma({ data, channels }: ImageBytes): Float32Array {
  const pixels = data.length / channels
  return Float32Array.from({ length: pixels }, (_, i) =>
    channels < 3
      ? data[i * channels]!
      : 0.299 * data[i * channels]! + 0.587 * data[i * channels + 1]! + 0.114 * data[i * channels + 2]!,
  )
}

export const brightness = (image: ImageBytes, factor: number) =>
  mapBytes(
    image,
    LEVELS.map((level) => byte(level * factor)),
  )

/** Away from the mean luma (factor above 1), or towards it. */
export function contrast(image: ImageBytes, factor: number): ImageBytes {
  const grey = luma(image)
  const mean = Math.round(grey.reduce((a, b) => a + b, 0) / grey.length)
  return mapBytes(
    image,
    LEVELS.map((level) => byte(mean + (level - mean) * factor)),
  )
}

/** Away from grey (factor above 1), or towards it. Grey images stay. */
export function color(image: ImageBytes, factor: number): ImageBytes {
  if (image.channels < 3) return image
  const grey = luma(image)
  const data = image.data.map((value, i) => {
    const of = grey[Math.floor(i / image.channels)]!
    return byte(of + (value - of) * factor)
  })
  return { ...image, data }
}

/** Away from a slightly blurred copy (factor above 1), or towards it. The border stays. */
export function sharpness(image: ImageBytes, factor: number): ImageBytes {
  const { data, height, width, channels } = image
  const result = data.slice()
  const row = width * channels
  for (let y = 1; y < height - 1; y++)
    for (let x = channels; x < row - channels; x++) {
      const at = y * row + x
      let sum = 4 * data[at]! // the centre counts 5, its neighbours 1
      for (let dy = -row; dy <= row; dy += row)
        for (let dx = -channels; dx <= channels; dx += channels) sum += data[at + dy + dx]!
      const smooth = sum / 13
      result[at] = byte(smooth + (data[at]! - smooth) * factor)
    }
  return { ...image, data: result }
}

/** Keeps the `bits` highest bits, 0 to 8. */
export const posterize = (image: ImageBytes, bits: number) =>
  mapBytes(
    image,
    LEVELS.map((level) => level & (0xff << (8 - bits)) & 0xff),
  )

/** Inverts levels from `threshold` on. */
export const solarize = (image: ImageBytes, threshold: number) =>
  mapBytes(
    image,
    LEVELS.map((level) => (level < threshold ? level : 255 - level)),
  )

/** Maps each channel by a table made from its histogram. */
function perChannel(image: ImageBytes, tableOf: (histogram: Uint32Array) => number[]): ImageBytes {
  const { data, channels } = image
  const histograms = Array.from({ length: channels }, () => new Uint32Array(256))
  data.forEach((value, i) => void histograms[i % channels]![value]!++)
  const tables = histograms.map(tableOf)
  return { ...image, data: data.map((value, i) => tables[i % channels]![value]!) }
}

/** Stretches each channel to the whole range. */
export const autoContrast = (image: ImageBytes) =>
  perChannel(image, (histogram) => {
    const low = histogram.findIndex((count) => count > 0)
    const high = histogram.findLastIndex((count) => count > 0)
    if (high <= low) return LEVELS
    return LEVELS.map((level) => byte(((level - low) * 255) / (high - low)))
  })

/** Makes each channel's levels equally frequent. */
export const equalize = (image: ImageBytes) =>
  perChannel(image, (histogram) => {
    const present = histogram.filter((count) => count > 0)
    const step = Math.floor((image.height * image.width - present.at(-1)!) / 255)
    if (present.length <= 1 || step === 0) return LEVELS
    let sum = step >> 1
    return LEVELS.map((level) => {
      const value = Math.floor(sum / step)
      sum += histogram[level]!
      return Math.min(255, value)
    })
  })
