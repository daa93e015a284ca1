/** Blurs: out of focus, through frosted glass, by motion, and by zooming. */
import type { Random } from '@tfgraft/core'
import {
  clip01,
  correlate,
  gaussianBlur,
  gaussianKernel,
  likeRaster,
  mapValues,
  type Raster,
  warp,
  zoomIn,
} from './raster'

/** A disk with a smoothed edge. */
export function defocusBlur(image: Raster, radius: number, alias: number): Raster {
  const reach = radius <= 8 ? 8 : Math.ceil(radius)
  const side = 2 * reach + 1
  const disk: Raster = { data: new Float32Array(side * side), height: side, width: side, channels: 1 }
  for (let y = -reach; y <= reach; y++)
    for (let x = -reach; x <= reach; x++)
      disk.data[(y + reach) * side + x + reach] = x * x + y * y <= radius * radius ? 1 : 0
  const edge = radius <= 8 ? 1 : 2
  const smooth = gaussianKernel(alias, edge)
  const kernel = correlate(
    correlate(disk, smooth, 1, smooth.length, 'mirror'),
    smooth,
    smooth.length,
    1,
    'mirror',
  ).data
  const sum = kernel.reduce((a, b) => a + b, 0)
  return correlate(
    image,
    Float64Array.from(kernel, (v) => v / sum),
    side,
    side,
    'mirror',
  )
}

/** Swaps every pixel with a near one, between two Gaussian blurs. */
export function glassBlur(
  image: Raster,
  sigma: number,
  distance: number,
  iterations: number,
  random: Random,
): Raster {
  const { height, width, channels } = image
  const blurred = gaussianBlur(image, sigma)
  const { data } = mapValues(blurred, (v) => Math.trunc(clip01(v) * 255) / 255)
  for (let i = 0; i < iterations; i++)
    for (let y = height - distance; y > distance; y--)
      for (let x = width - distance; x > distance; x--) {
        if (y >= height || x >= width) continue
        const [dx, dy] = [random.integer(-distance, distance), random.integer(-distance, distance)]
        const [a, b] = [(y * width + x) * channels, ((y + dy) * width + x + dx) * channels]
        for (let c = 0; c < channels; c++) [data[a + c], data[b + c]] = [data[b + c]!, data[a + c]!]
      }
  return gaussianBlur(likeRaster(image, data), sigma)
}

/** A one-sided Gaussian along a direction (degrees), as ImageMagick's motion blur. */
export function motionBlur(image: Raster, radius: number, sigma: number, degrees: number): Raster {
  const { height, width, channels, data } = image
  const length = 2 * Math.ceil(radius) + 1
  const weights = Array.from({ length }, (_, i) => Math.exp(-(i * i) / (2 * sigma * sigma)))
  const sum = weights.reduce((a, b) => a + b, 0)
  const angle = (degrees * Math.PI) / 180
  const steps = weights.map(
    (_, i) => [Math.ceil(i * Math.sin(angle) - 0.5), Math.ceil(i * Math.cos(angle) - 0.5)] as const,
  )
  const result = likeRaster(image)
  const within = (i: number, size: number) => Math.min(Math.max(i, 0), size - 1)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let i = 0; i < length; i++) {
        const from = (within(y + steps[i]![0], height) * width + within(x + steps[i]![1], width)) * channels
        const to = (y * width + x) * channels
        for (let c = 0; c < channels; c++) result.data[to + c]! += (weights[i]! / sum) * data[from + c]!
      }
  return result
}

/** The mean of the picture and of enlargements of it. */
export function zoomBlur(image: Raster, end: number, step: number): Raster {
  const count = Math.ceil((end - 1) / step - 1e-9)
  const sum = image.data.slice()
  for (let i = 0; i < count; i++) {
    const { data } = zoomIn(image, 1 + i * step)
    for (let k = 0; k < sum.length; k++) sum[k]! += data[k]!
  }
  return likeRaster(
    image,
    sum.map((value) => clip01(value / (count + 1))),
  )
}

/** Random displacements, smooth in space, after a random affine map of three corners of a square. */
export function elastic(image: Raster, alpha: number, sigma: number, affine: number, random: Random): Raster {
  const { height, width } = image
  const [cy, cx, half] = [height >> 1, width >> 1, Math.floor(Math.min(height, width) / 3)]
  const corners = [
    [cx + half, cy + half],
    [cx + half, cy - half],
    [cx - half, cy - half],
  ] as const
  const moved = corners.map(
    ([x, y]) => [x + random.uniform(-affine, affine), y + random.uniform(-affine, affine)] as const,
  )
  const back = affineMap(moved, corners)
  const mapped = warp(image, 'mirror', (y, x) => {
    const [sx, sy] = back(x, y)
    return [sy, sx]
  })
  const field = (): Raster => {
    const noise: Raster = { data: new Float32Array(height * width), height, width, channels: 1 }
    return gaussianBlur(
      mapValues(noise, () => random.uniform(-1, 1)),
      sigma,
      3,
      'reflect',
    )
  }
  const [dx, dy] = [field(), field()]
  return mapValues(
    warp(mapped, 'reflect', (y, x) => [
      y + alpha * dy.data[y * width + x]!,
      x + alpha * dx.data[y * width + x]!,
    ]),
    clip01,
  )
}

type Point = readonly [x: number, y: number]

/** The affine map that takes three points to three others. */
function affineMap(from: readonly Point[], to: readonly Point[]): (x: number, y: number) => Point {
  const [[x0, y0], [x1, y1], [x2, y2]] = from as [Point, Point, Point]
  const determinant = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
  return (x, y) => {
    // Coordinates of (x, y) along the two sides from the first point.
    const u = ((x - x0) * (y2 - y0) - (x2 - x0) * (y - y0)) / determinant
    const v = ((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) / determinant
    const at = (k: 0 | 1) => to[0]![k] + u * (to[1]![k] - to[0]![k]) + v * (to[2]![k] - to[0]![k])
    return [at(0), at(1)]
  }
}
