/** Shapes and options that every kernel is held to. */
import * as tf from '@tensorflow/tfjs-core'
import type { OpCase } from '@tfgraft/testing'
import { type AttentionInputs, type AttentionProblem, attentionProblem } from './options'

export const random = (shape: number[], seed: number, scale = 1) =>
  tf.randomNormal(shape, 0, scale, 'float32', seed)

export interface Sizes {
  maps?: 1 | 2
  batch?: number
  heads?: number
  valueHeads?: number
  keySlots?: 1 | 2
  queries: number
  keys?: number
  width?: number
  valueWidth?: number
  tokens?: boolean
  logits?: number
}

/** Random inputs of these sizes. */
export const filled = ({
  maps = 2,
  batch = 1,
  heads = 1,
  valueHeads = heads,
  keySlots = maps,
  queries,
  keys = queries,
  width = 4,
  valueWidth = 2 * width,
  tokens = false,
  logits = 1,
}: Sizes): AttentionInputs => ({
  q: random([batch, heads * maps, queries, width], 1, logits),
  k: random([batch, valueHeads * keySlots, keys, width], 2),
  v: random([batch, valueHeads, keys, valueWidth], 3),
  ...(maps === 2 && {
    lambda: tokens ? tf.randomUniform([batch, heads, queries], 0, 1, 'float32', 4) : tf.scalar(0.6),
  }),
})

type Options = Parameters<typeof attentionProblem>[5]

export const row = (
  title: string,
  sizes: Sizes,
  options: Options = {},
): OpCase<AttentionInputs, AttentionProblem> => ({
  title,
  inputs: () => filled(sizes),
  // When it is read, there is a backend for the tensors.
  get attrs() {
    const inputs = filled(sizes)
    const problem = attentionProblem('test', sizes.maps ?? 2, inputs.q, inputs.k, inputs.v, options)
    tf.dispose(Object.values(inputs))
    return problem
  },
})

export const attentionCases = [
  row('length 1', { queries: 1 }, { causal: true }),
  row('length 17, causal', { queries: 17, heads: 2 }, { causal: true }),
  row('a tile and a row', { queries: 33, width: 5, valueWidth: 7 }, { causal: true }),
  row('one query, many keys', { queries: 1, keys: 30, heads: 4, valueHeads: 2, width: 6, valueWidth: 9 }),
  row('more keys than queries', { queries: 5, keys: 40 }, { causal: true }),
  row('more queries than keys', { queries: 40, keys: 5 }, { causal: true }),
  row('plain', { maps: 1, queries: 20, heads: 4, valueHeads: 2, batch: 2 }, { causal: true }),
  row('grouped heads', { queries: 9, heads: 4, valueHeads: 2, batch: 2 }),
  row('grouped heads, naive', { queries: 9, heads: 4, valueHeads: 2 }, { keyMapping: 'naive-compat' }),
  row('maps on the same keys, lambda per token', {
    queries: 9,
    heads: 4,
    valueHeads: 2,
    keySlots: 1,
    tokens: true,
  }),
  row('a scale', { queries: 9 }, { scale: 3 }),
]
