/** Digital: brightness, contrast, pixelation and JPEG. */
import { clip01, likeRaster, mapValues, type Raster, resizeBox } from './raster'

/** Adds to the value of HSV: RGB scales so that its maximum moves by `amount`. */
export function brightness(image: Raster, amount: number): Raster {
  const { channels, data } = image
  const result = likeRaster(image)
  for (let i = 0; i < data.length; i += channels) {
    const value = Math.max(...data.subarray(i, i + channels))
    const brighter = clip01(value + amount)
    for (let c = 0; c < channels; c++)
      result.data[i + c] = value > 0 ? (data[i + c]! * brighter) / value : brighter
  }
  return result
}

/** Pulls every channel towards its mean. */
export function contrast(image: Raster, factor: number): Raster {
  const { channels, data } = image
  const means = new Float64Array(channels)
  for (let i = 0; i < data.length; i++) means[i % channels]! += (data[i]! * channels) / data.length
  return mapValues(image, (value, i) =>
    clip01((value - means[i % channels]!) * factor + means[i % channels]!),
  )
}

/** Down to a part of the resolution and back. */
export function pixelate(image: Raster, part: number): Raster {
  const [height, width] = [image.height, image.width].map((side) => Math.max(1, Math.trunc(side * part)))
  return resizeBox(resizeBox(image, height!, width!), image.height, image.width)
}

// Annex K of the JPEG standard (ITU-T T.81), rows of 8.
const LUMA = [
  [16, 11, 10, 16, 24, 40, 51, 61],
  [12, 12, 14, 19, 26, 58, 60, 55],
  [14, 13, 16, 24, 40, 57, 69, 56],
  [14, 17, 22, 29, 51, 87, 80, 62],
  [18, 22, 37, 56, 68, 109, 103, 77],
  [24, 35, 55, 64, 81, 104, 113, 92],
  [49, 64, 78, 87, 103, 121, 120, 101],
  [72, 92, 95, 98, 112, 100, 103, 99],
].flat()
const CHROMA = [
  [17, 18, 24, 47, 99, 99, 99, 99],
  [18, 21, 26, 66, 99, 99, 99, 99],
  [24, 26, 56, 99, 99, 99, 99, 99],
  [47, 66, 99, 99, 99, 99, 99, 99],
  ...Array.from({ length: 4 }, () => Array(8).fill(99)),
].flat() as number[]

// cosines[u][x] of the orthonormal 8-point DCT.
const COSINES = Array.from({ length: 8 }, (_, u) =>
  Array.from(
    { length: 8 },
    (_, x) => (u === 0 ? Math.SQRT1_2 : 1) * 0.5 * Math.cos(((2 * x + 1) * u * Math.PI) / 16),
  ),
)

/** The table at a quality, as the IJG's library scales it. */
function quantisers(table: number[], quality: number): number[] {
  const scale = quality < 50 ? 5000 / quality : 200 - 2 * quality
  return table.map((value) => Math.min(Math.max(Math.floor((value * scale + 50) / 100), 1), 255))
}

/** Rounds the cosine coefficients of 8 x 8 blocks of one channel, in 0..255, in place. Edges are repeated. */
function quantiseBlocks(channel: Raster, table: number[]): void {
  const { data, height, width } = channel
  const block = new Float64Array(64)
  const half = new Float64Array(64)
  const transform = (from: Float64Array, to: Float64Array, forward: boolean) => {
    // One axis of the separable transform, transposing: twice is the whole transform.
    for (let row = 0; row < 8; row++)
      for (let k = 0; k < 8; k++) {
        let sum = 0
        for (let i = 0; i < 8; i++) sum += from[row * 8 + i]! * (forward ? COSINES[k]![i]! : COSINES[i]![k]!)
        to[k * 8 + row] = sum
      }
  }
  for (let top = 0; top < height; top += 8)
    for (let left = 0; left < width; left += 8) {
      for (let y = 0; y < 8; y++)
        for (let x = 0; x < 8; x++) {
          const [sy, sx] = [Math.min(top + y, height - 1), Math.min(left + x, width - 1)]
          block[y * 8 + x] = data[sy * width + sx]! - 128
        }
      transform(block, half, true)
      transform(half, block, true)
      for (let i = 0; i < 64; i++) block[i] = Math.round(block[i]! / table[i]!) * table[i]!
      transform(block, half, false)
      transform(half, block, false)
      for (let y = 0; y < 8 && top + y < height; y++)
        for (let x = 0; x < 8 && left + x < width; x++)
          data[(top + y) * width + left + x] = Math.min(Math.max(Math.round(block[y * 8 + x]! + 128), 0), 255)
    }
}

/**
 * What JPEG loses: colours at half the resolution (4:2:0), and cosine coefficients rounded to the standard's tables.
 * Entropy coding loses nothing and is left out. Pictures without three channels are compressed channel by channel.
 */
export function jpeg(image: Raster, quality: number): Raster {
  const { height, width, channels, data } = image
  const pixels = height * width
  const plane = (f: (i: number) => number): Raster => ({
    data: Float32Array.from({ length: pixels }, (_, i) => f(i)),
    ...{ height, width, channels: 1 },
  })
  const byte = (i: number, c: number) => Math.round(data[i * channels + c]! * 255)
  const [luma, chroma] = [quantisers(LUMA, quality), quantisers(CHROMA, quality)]
  const result = likeRaster(image)
  if (channels !== 3) {
    for (let c = 0; c < channels; c++) {
      const grey = plane((i) => byte(i, c))
      quantiseBlocks(grey, luma)
      for (let i = 0; i < pixels; i++) result.data[i * channels + c] = grey.data[i]! / 255
    }
    return result
  }
  const mix = (r: number, g: number, b: number, offset: number) =>
    plane((i) => Math.round(r * byte(i, 0) + g * byte(i, 1) + b * byte(i, 2) + offset))
  const y = mix(0.299, 0.587, 0.114, 0)
  quantiseBlocks(y, luma)
  const [cb, cr] = [mix(-0.168736, -0.331264, 0.5, 128), mix(0.5, -0.418688, -0.081312, 128)].map((full) => {
    const small = resizeBox(full, (height + 1) >> 1, (width + 1) >> 1)
    quantiseBlocks(small, chroma)
    return (i: number) => small.data[(Math.floor(i / width) >> 1) * small.width + ((i % width) >> 1)]! - 128
  })
  for (let i = 0; i < pixels; i++) {
    const [l, b, r] = [y.data[i]!, cb!(i), cr!(i)]
    const rgb = [l + 1.402 * r, l - 0.344136 * b - 0.714136 * r, l + 1.772 * b]
    for (let c = 0; c < 3; c++) result.data[i * 3 + c] = clip01(Math.round(rgb[c]!) / 255)
  }
  return result
}
