/** Looking at attention: the maps of a layer as a tensor, and as a picture. */
import * as tf from '@tensorflow/tfjs-core'
import { DifferentialAttention } from './differential-attention'
import { DifferentialAttentionV2 } from './differential-attention-v2'
import { firstTensor } from './layer-inputs'
import type { MultiHeadAttention } from './multi-head-attention'
import { attentionProblem } from './op/options'
import { additiveKeyMask, attentionMaps, broadcastLambda, mapsOf } from './op/reference'

export type AttentionLayer = DifferentialAttention | DifferentialAttentionV2 | MultiHeadAttention

/** The maps of one call, each `[batch, heads, query, key]`. */
export interface AttentionMaps {
  /** The first map, A1: rows sum to 1. Of plain attention, the only one. */
  first: tf.Tensor
  /** The second map, A2. */
  second?: tf.Tensor
  /** A1 - lambda A2: what meets the values. */
  difference?: tf.Tensor
}

/**
 * The attention maps of a layer on some input. They take memory of length x length per head, which the layer itself never does.
 *
 * @param layer An attention layer of this package that was applied or built.
 * @param inputs What the layer is called with.
 * @returns Tensors, to be disposed by the caller.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { attentionMapsOf, differentialAttention } from '@tfgraft/diff-attention'
 *
 * const layer = differentialAttention({ numHeads: 2, causal: true })
 * const x = tf.randomNormal([1, 5, 16])
 * layer.apply(x)
 * console.log(attentionMapsOf(layer, x).difference?.shape) // [1, 2, 5, 5]
 * ```
 */
export function attentionMapsOf(layer: AttentionLayer, inputs: tf.Tensor | tf.Tensor[]): AttentionMaps {
  const tensors = tf.tidy(() => {
    const { q, k, v, options } = layer.sequences(inputs)
    const differential = layer instanceof DifferentialAttention || layer instanceof DifferentialAttentionV2
    const problem = attentionProblem('attentionMapsOf', differential ? 2 : 1, q, k, v, options)
    const keyBias = options.keyMask && additiveKeyMask(options.keyMask)
    const maps = mapsOf(attentionMaps({ q, k, mask: options.mask, keyBias }, problem), problem)
    if (!differential) return maps
    const lambda = layer instanceof DifferentialAttention ? layer.lambda() : layer.lambda(firstTensor(inputs))
    const [first, second] = maps as [tf.Tensor, tf.Tensor]
    return [first, second, tf.sub(first, tf.mul(broadcastLambda(lambda, problem), second))]
  })
  const [first, second, difference] = tensors
  return second && difference ? { first: first!, second, difference } : { first: first! }
}

export interface AttentionMapSvgOptions {
  /** Example of the batch. @default 0 */
  example?: number
  /** Side of one cell in pixels. @default 8 */
  cell?: number
}

/** White at 0, blue towards 1, red towards -1. The square root makes small weights visible. */
function colour(weight: number): string {
  const strength = Math.round(255 * (1 - Math.min(1, Math.sqrt(Math.abs(weight)))))
  return weight < 0 ? `rgb(255,${strength},${strength})` : `rgb(${strength},${strength},255)`
}

/**
 * Draws attention maps: a row per map, a column per head; in each map a row per query and a column per key.
 *
 * @param maps As {@link attentionMapsOf} returns them.
 * @param options `example`, `cell`.
 * @returns An SVG document.
 * @throws When `example` is not in the batch.
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
export function attentionMapSvg(
  maps: AttentionMaps,
  { example = 0, cell = 8 }: AttentionMapSvgOptions = {},
): string {
  const [batch, heads, queries, keys] = maps.first.shape as [number, number, number, number]
  if (!(example in Array.from({ length: batch })))
    throw new Error(
      `attentionMapSvg: \`example\` must be in the batch of ${batch}. Received example=${example}.`,
    )
  const rows = [
    { title: 'A1', map: maps.first },
    { title: 'A2', map: maps.second },
    { title: 'A1 - lambda A2', map: maps.difference },
  ].filter((row): row is { title: string; map: tf.Tensor } => row.map !== undefined)
  const [margin, label] = [cell, 16]
  const [across, down] = [keys * cell + margin, queries * cell + margin + label]
  const parts: string[] = []
  for (const [row, { title, map }] of rows.entries()) {
    const weights = map.dataSync()
    for (let head = 0; head < heads; head++) {
      const [left, top] = [margin + head * across, label + row * down]
      parts.push(`<text x="${left}" y="${top - 4}">${title}, head ${head}</text>`)
      parts.push(
        `<rect x="${left}" y="${top}" width="${keys * cell}" height="${queries * cell}" fill="white" stroke="#ccc"/>`,
      )
      for (let i = 0; i < queries * keys; i++) {
        const weight = weights[(example * heads + head) * queries * keys + i]!
        if (Math.abs(weight) < 1e-3) continue // a cell that would be white
        const [x, y] = [left + (i % keys) * cell, top + Math.floor(i / keys) * cell]
        parts.push(`<rect x="${x}" y="${y}" width="${cell}" height="${cell}" fill="${colour(weight)}"/>`)
      }
    }
  }
  const [width, height] = [margin + heads * across, rows.length * down]
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="11">${parts.join('')}</svg>\n`
}
