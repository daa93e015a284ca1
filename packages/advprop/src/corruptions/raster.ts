/** A picture as numbers, and the filters that several corruptions share. */

/** Values in 0..1, `[height, width, channels]` row by row. */
export interface Raster {
  data: Float32Array<ArrayBuffer>
  height: number
  width: number
  channels: number
}

export const likeRaster = (image: Raster, data = new Float32Array(image.data.length)): Raster => ({
  ...image,
  data,
})

export const clip01 = (value: number) => Math.min(Math.max(value, 0), 1)

export function mapValues(image: Raster, f: (value: number, index: number) => number): Raster {
  return likeRaster(
    image,
    image.data.map((value, i) => f(value, i)),
  )
}

/** How indices beyond the border continue: `edge` repeats it, `mirror` reflects about it, `reflect` repeats and reflects. */
export type Border = 'edge' | 'mirror' | 'reflect'

export function borderIndex(i: number, size: number, border: Border): number {
  if (i >= 0 && i < size) return i
  if (size === 1) return 0
  if (border === 'edge') return i < 0 ? 0 : size - 1
  const period = border === 'mirror' ? 2 * size - 2 : 2 * size
  const j = ((i % period) + period) % period
  if (border === 'mirror') return j < size ? j : period - j
  return j < size ? j : period - 1 - j
}

/** Correlates every channel with a kernel of odd sides, centred. */
export function correlate(
  image: Raster,
  kernel: Float64Array,
  rows: number,
  columns: number,
  border: Border,
): Raster {
  const { height, width, channels, data } = image
  const result = likeRaster(image)
  const [up, left] = [(rows - 1) >> 1, (columns - 1) >> 1]
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let v = 0; v < rows; v++) {
        const sy = borderIndex(y + v - up, height, border)
        for (let u = 0; u < columns; u++) {
          const weight = kernel[v * columns + u]!
          if (weight === 0) continue
          const from = (sy * width + borderIndex(x + u - left, width, border)) * channels
          const to = (y * width + x) * channels
          for (let c = 0; c < channels; c++) result.data[to + c]! += weight * data[from + c]!
        }
      }
  return result
}

export function gaussianKernel(sigma: number, radius: number): Float64Array {
  if (sigma === 0) return Float64Array.from({ length: 2 * radius + 1 }, (_, i) => (i === radius ? 1 : 0))
  const kernel = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)),
  )
  const sum = kernel.reduce((a, b) => a + b, 0)
  return kernel.map((value) => value / sum)
}

/** A Gaussian blur, cut off at `truncate` standard deviations. */
export function gaussianBlur(image: Raster, sigma: number, truncate = 4, border: Border = 'edge'): Raster {
  if (sigma === 0) return likeRaster(image, image.data.slice())
  const radius = Math.trunc(truncate * sigma + 0.5)
  const kernel = gaussianKernel(sigma, radius)
  return correlate(correlate(image, kernel, 1, kernel.length, border), kernel, kernel.length, 1, border)
}

/** The value of channel `c` between pixels. */
export function bilinear(image: Raster, y: number, x: number, c: number, border: Border): number {
  const { height, width, channels, data } = image
  const [top, left] = [Math.floor(y), Math.floor(x)]
  const at = (v: number, u: number) =>
    data[(borderIndex(v, height, border) * width + borderIndex(u, width, border)) * channels + c]!
  const [fy, fx] = [y - top, x - left]
  return (
    (1 - fy) * ((1 - fx) * at(top, left) + fx * at(top, left + 1)) +
    fy * ((1 - fx) * at(top + 1, left) + fx * at(top + 1, left + 1))
  )
}

/** Every pixel from the place that `source` says. */
export function warp(
  image: Raster,
  border: Border,
  source: (y: number, x: number) => readonly [number, number],
): Raster {
  const result = likeRaster(image)
  const { height, width, channels } = image
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [sy, sx] = source(y, x)
      for (let c = 0; c < channels; c++)
        result.data[(y * width + x) * channels + c] = bilinear(image, sy, sx, c, border)
    }
  return result
}

/** The middle of the picture, enlarged by `factor`, as scipy's `zoom` of order 1 does it: corners stay corners. */
export function zoomIn(image: Raster, factor: number): Raster {
  const axis = (size: number) => {
    const crop = Math.ceil(size / factor)
    const zoomed = Math.round(crop * factor)
    const start = (size - crop) >> 1
    const trim = (zoomed - size) >> 1
    return (i: number) => (zoomed > 1 ? start + ((i + trim) * (crop - 1)) / (zoomed - 1) : start)
  }
  const [ofY, ofX] = [axis(image.height), axis(image.width)]
  return warp(image, 'edge', (y, x) => [ofY(y), ofX(x)])
}

/** Averages boxes of pixels: a box filter that weighs each pixel whose centre falls into the box alike, as Pillow's. */
export function resizeBox(image: Raster, height: number, width: number): Raster {
  const { channels } = image
  const data = new Float32Array(height * width * channels)
  const range = (i: number, from: number, to: number) => {
    const scale = from / to
    const centre = (i + 0.5) * scale
    const half = Math.max(scale, 1) / 2
    // Centres j + 0.5 in [centre - half, centre + half).
    const start = Math.max(0, Math.ceil(centre - half - 0.5))
    const end = Math.min(from, Math.ceil(centre + half - 0.5))
    return end > start
      ? ([start, end] as const)
      : ([Math.min(start, from - 1), Math.min(start, from - 1) + 1] as const)
  }
  for (let y = 0; y < height; y++) {
    const [top, bottom] = range(y, image.height, height)
    for (let x = 0; x < width; x++) {
      const [left, right] = range(x, image.width, width)
      for (let c = 0; c < channels; c++) {
        let sum = 0
        for (let v = top; v < bottom; v++)
          for (let u = left; u < right; u++) sum += image.data[(v * image.width + u) * channels + c]!
        data[(y * width + x) * channels + c] = sum / ((bottom - top) * (right - left))
      }
    }
  }
  return { data, height, width, channels }
}

/** One channel: the luminance of RGB (ITU-R 601), or the channel itself. */
export function luminance({ data, height, width, channels }: Raster): Raster {
  const weights = channels === 3 ? [0.299, 0.587, 0.114] : Array(channels).fill(1 / channels)
  const grey = new Float32Array(height * width)
  for (let i = 0; i < grey.length; i++)
    for (let c = 0; c < channels; c++) grey[i]! += weights[c]! * data[i * channels + c]!
  return { data: grey, height, width, channels: 1 }
}
