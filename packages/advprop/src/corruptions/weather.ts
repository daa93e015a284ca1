/** Weather: snow, frost and fog. */
import type { Random } from '@tfgraft/core'
import { motionBlur } from './blur'
import { clip01, luminance, mapValues, type Raster, zoomIn } from './raster'

/**
 * Clouds by midpoint displacement: `side` is a power of two, the result wraps around and covers 0..1. Each scale's
 * roughness is the last one's divided by `decay`.
 */
export function plasma(side: number, decay: number, random: Random): Float64Array {
  const map = new Float64Array(side * side)
  let wibble = 100
  const at = (y: number, x: number) => map[((y + side) % side) * side + ((x + side) % side)]!
  const around = (sum: number) => sum / 4 + wibble * random.uniform(-wibble, wibble)
  for (let step = side; step >= 2; step /= 2) {
    const half = step / 2
    for (let y = 0; y < side; y += step)
      for (let x = 0; x < side; x += step)
        map[(y + half) * side + x + half] = around(
          at(y, x) + at(y, x + step) + at(y + step, x) + at(y + step, x + step),
        )
    const diamond = (y: number, x: number) => {
      map[y * side + x] = around(at(y - half, x) + at(y + half, x) + at(y, x - half) + at(y, x + half))
    }
    for (let y = 0; y < side; y += step)
      for (let x = 0; x < side; x += step) {
        diamond(y, x + half)
        diamond(y + half, x)
      }
    wibble /= decay
  }
  const least = map.reduce((a, b) => Math.min(a, b))
  const greatest = map.reduce((a, b) => Math.max(a, b))
  return map.map((value) => (greatest > least ? (value - least) / (greatest - least) : 0))
}

/** Clouds of the image's size. */
function clouds({ height, width }: Raster, decay: number, random: Random): (pixel: number) => number {
  const side = 2 ** Math.ceil(Math.log2(Math.max(height, width, 2)))
  const map = plasma(side, decay, random)
  return (pixel) => map[Math.floor(pixel / width) * side + (pixel % width)]!
}

export function fog(image: Raster, amount: number, decay: number, random: Random): Raster {
  const cloud = clouds(image, decay, random)
  const brightest = image.data.reduce((a, b) => Math.max(a, b), 0)
  const { channels } = image
  return mapValues(image, (value, i) =>
    clip01(((value + amount * cloud(Math.floor(i / channels))) * brightest) / (brightest + amount)),
  )
}

/**
 * Ice crystals over the picture. The authors overlay photographs of frost; here the crystals are the ridges of two
 * cloud fields, white and slightly blue in colour pictures, so that nothing has to be downloaded.
 */
export function frost(image: Raster, ofImage: number, ofFrost: number, random: Random): Raster {
  const fields = [clouds(image, 1.8, random), clouds(image, 1.5, random)]
  const ridge = (pixel: number) => {
    const [coarse, fine] = fields.map((field) => 1 - Math.abs(2 * field(pixel) - 1))
    return clip01(0.2 + 0.5 * coarse! ** 2 + 0.5 * fine! ** 4)
  }
  const { channels } = image
  const tint = channels === 3 ? [0.9, 0.97, 1] : Array(channels).fill(1)
  return mapValues(image, (value, i) =>
    clip01(ofImage * value + ofFrost * ridge(Math.floor(i / channels)) * tint[i % channels]!),
  )
}

export interface SnowOptions {
  mean: number
  std: number
  zoom: number
  least: number
  radius: number
  sigma: number
  blend: number
}

/** Flakes: thresholded noise, blurred along a falling direction, over a whitened picture. */
export function snow(image: Raster, options: SnowOptions, random: Random): Raster {
  const { mean, std, zoom, least, radius, sigma, blend } = options
  const { height, width, channels } = image
  const noise: Raster = { data: new Float32Array(height * width), height, width, channels: 1 }
  const layer = zoomIn(
    mapValues(noise, () => random.normal(mean, std)),
    zoom,
  )
  const flakes = mapValues(layer, (value) => (value < least ? 0 : clip01(value)))
  const falling = motionBlur(flakes, radius, sigma, random.uniform(-135, -45)).data
  const grey = luminance(image).data
  return mapValues(image, (value, i) => {
    const pixel = Math.floor(i / channels)
    const white = blend * value + (1 - blend) * Math.max(value, grey[pixel]! * 1.5 + 0.5)
    return clip01(white + falling[pixel]! + falling[height * width - 1 - pixel]!)
  })
}
