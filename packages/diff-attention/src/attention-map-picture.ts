/**
 * Attention maps as pictures: a row per map (A1, A2, their difference), a column per head; in each map a row per query and a column per
 * key. White at 0, blue towards 1, red towards -1; the square root makes small weights visible.
 */
import type * as tf from '@tensorflow/tfjs-core'
import type { AttentionMaps } from './attention-map'

export interface AttentionMapPictureOptions {
  /** Example of the batch. @default 0 */
  example?: number
  /** Side of one cell in pixels, a positive integer. @default 8 */
  cell?: number
}

/** What `ImageData` of browsers and encoders of pictures take: rows of RGBA bytes. */
export interface AttentionMapPixels {
  data: Uint8ClampedArray<ArrayBuffer>
  width: number
  height: number
}

/** The maps of one example, heads apart, and the sizes of a picture of them. */
function gridOf(caller: string, maps: AttentionMaps, { example = 0, cell = 8 }: AttentionMapPictureOptions) {
  const [batch, heads, queries, keys] = maps.first.shape as [number, number, number, number]
  if (!(Number.isInteger(example) && example >= 0 && example < batch))
    throw new Error(`${caller}: \`example\` must be in the batch of ${batch}. Received example=${example}.`)
  if (!(Number.isInteger(cell) && cell > 0))
    throw new Error(`${caller}: \`cell\` must be a positive integer. Received cell=${cell}.`)
  const rows = [
    { title: 'A1', map: maps.first },
    { title: 'A2', map: maps.second },
    { title: 'A1 - lambda A2', map: maps.difference },
  ].filter((row): row is { title: string; map: tf.Tensor } => row.map !== undefined)
  const size = queries * keys
  return {
    cell,
    heads,
    queries,
    keys,
    rows: rows.map(({ title, map }) => {
      const weights = map.dataSync()
      const head = (h: number) =>
        weights.subarray((example * heads + h) * size, (example * heads + h + 1) * size)
      return { title, head }
    }),
  }
}

/** Red, green and blue, 0 to 255: blue for a weight above zero, red below, white for none. */
function colour(weight: number): [number, number, number] {
  const rest = Math.round(255 * (1 - Math.min(1, Math.sqrt(Math.abs(weight)))))
  return weight < 0 ? [255, rest, rest] : [rest, rest, 255]
}

/**
 * Draws attention maps as pixels, for a canvas (`new ImageData(data, width)`) or a PNG encoder. Maps are a cell apart, on grey.
 *
 * @param maps As `attentionMapsOf` returns them.
 * @param options `example`, `cell`.
 * @returns RGBA, 4 bytes per pixel.
 * @throws When `example` is not in the batch, or `cell` is not a positive integer.
 * @example
 * ```ts
 * import { encode } from 'fast-png'
 * import * as tf from '@tensorflow/tfjs-core'
 * import { attentionMapPixels, attentionMapsOf, differentialAttention } from '@tfgraft/diff-attention'
 *
 * const layer = differentialAttention({ numHeads: 2, causal: true })
 * const x = tf.randomNormal([1, 5, 16])
 * layer.apply(x)
 * const png = encode(attentionMapPixels(attentionMapsOf(layer, x))) // bytes of a PNG file
 * console.log(png.length)
 * ```
 */
export function attentionMapPixels(
  maps: AttentionMaps,
  options: AttentionMapPictureOptions = {},
): AttentionMapPixels {
  const { cell, heads, queries, keys, rows } = gridOf('attentionMapPixels', maps, options)
  const [across, down] = [(keys + 1) * cell, (queries + 1) * cell]
  const [width, height] = [heads * across + cell, rows.length * down + cell]
  const data = new Uint8ClampedArray(4 * width * height).fill(221)
  for (let alpha = 3; alpha < data.length; alpha += 4) data[alpha] = 255
  for (const [row, { head }] of rows.entries())
    for (let h = 0; h < heads; h++) {
      const weights = head(h)
      for (let y = 0; y < queries * cell; y++)
        for (let x = 0; x < keys * cell; x++) {
          const weight = weights[Math.floor(y / cell) * keys + Math.floor(x / cell)]!
          data.set(colour(weight), 4 * ((cell + row * down + y) * width + cell + h * across + x))
        }
    }
  return { data, width, height }
}

/**
 * Draws attention maps as a vector picture, with titles.
 *
 * @param maps As `attentionMapsOf` returns them.
 * @param options `example`, `cell`.
 * @returns An SVG document.
 * @throws When `example` is not in the batch, or `cell` is not a positive integer.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { attentionMapSvg, attentionMapsOf, differentialAttention } from '@tfgraft/diff-attention'
 *
 * const layer = differentialAttention({ numHeads: 2, causal: true })
 * const x = tf.randomNormal([1, 5, 16])
 * layer.apply(x)
 * console.log(attentionMapSvg(attentionMapsOf(layer, x)).slice(0, 4)) // <svg
 * ```
 */
export function attentionMapSvg(maps: AttentionMaps, options: AttentionMapPictureOptions = {}): string {
  const { cell, heads, queries, keys, rows } = gridOf('attentionMapSvg', maps, options)
  const [margin, label] = [cell, 16]
  const [across, down] = [keys * cell + margin, queries * cell + margin + label]
  const parts: string[] = []
  for (const [row, { title, head }] of rows.entries())
    for (let h = 0; h < heads; h++) {
      const [left, top] = [margin + h * across, label + row * down]
      parts.push(`<text x="${left}" y="${top - 4}">${title}, head ${h}</text>`)
      parts.push(
        `<rect x="${left}" y="${top}" width="${keys * cell}" height="${queries * cell}" fill="white" stroke="#ccc"/>`,
      )
      for (const [i, weight] of head(h).entries()) {
        if (Math.abs(weight) < 1e-3) continue // a cell that would be white
        const [x, y] = [left + (i % keys) * cell, top + Math.floor(i / keys) * cell]
        parts.push(`<rect x="${x}" y="${y}" width="${cell}" height="${cell}" fill="rgb(${colour(weight)})"/>`)
      }
    }
  const [width, height] = [margin + heads * across, rows.length * down]
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="11">${parts.join('')}</svg>\n`
}
