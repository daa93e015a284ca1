/**
 * Attention in plain tf ops: the fallback where no fused kernel is, and the truth that kernels are held to.
 *
 *     A_i = softmax(scale Q_i K_i' + mask),  plain: O = A V,  differential: O = A_1 V - lambda A_2 V
 *
 * Ye et al. 2024 (arXiv 2410.05258), equation 1. A query that sees no key gets zeros, not NaN.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { AttentionInputs, AttentionProblem } from './options'

/** Softmax over the last axis of logits that may be -Infinity; a row of only -Infinity gives zeros. */
const maskedSoftmax = tf.customGrad((logits, save) => {
  const s = logits as tf.Tensor
  const value = tf.tidy(() => {
    const max = tf.max(s, -1, true)
    // A row that sees nothing has max = -Infinity; shifting it by 0 instead keeps exp(-Infinity) = 0.
    const shift = tf.where(tf.equal(max, Number.NEGATIVE_INFINITY), tf.zerosLike(max), max)
    const e = tf.exp(tf.sub(s, shift))
    const total = tf.sum(e, -1, true)
    return tf.div(e, tf.add(total, tf.cast(tf.equal(total, 0), 'float32')))
  })
  ;(save as tf.GradSaveFunc)([value])
  return {
    value,
    gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const p = saved[0]!
      const weighted = tf.mul(dy, p)
      return tf.sub(weighted, tf.mul(p, tf.sum(weighted, -1, true)))
    },
  }
})

/** 0 where a query may look, -Infinity where it may not: `[query, key]`, aligned at the last query and key. */
export function causalMask(queries: number, keys: number): tf.Tensor2D {
  const mask = new Float32Array(queries * keys)
  for (let i = 0; i < queries; i++)
    mask.fill(Number.NEGATIVE_INFINITY, i * keys + Math.max(0, i + 1 + keys - queries), (i + 1) * keys)
  return tf.tensor2d(mask, [queries, keys])
}

/** 0 for a key that is there, -Infinity for padding, in the shape of `keyMask`. */
export function additiveKeyMask(keyMask: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const shown = tf.cast(keyMask, 'bool')
    return tf.where(shown, tf.zeros(keyMask.shape), tf.fill(keyMask.shape, Number.NEGATIVE_INFINITY))
  })
}

/** From the problem's layout to `[batch, heads, length, width]`, or back: both are the same swap. */
export const headsFirst = (x: tf.Tensor, { layout }: AttentionProblem) =>
  layout === 'heads-first' ? x : tf.transpose(x, [0, 2, 1, 3])

/** Whether maps visit key heads alternately, so that the queries of one key head are not neighbours. */
const alternates = ({ maps, heads, keyHeads, valueHeads, keyMapping }: AttentionProblem) =>
  maps === 2 && keyHeads === 2 * valueHeads && keyMapping === 'flash' && heads > valueHeads

/** `[batch, heads * maps, query, size]` to `[batch, keyHeads, heads * maps / keyHeads * query, size]`: rows by key head. */
export function byKeyHead(x: tf.Tensor, problem: AttentionProblem): tf.Tensor {
  const { maps, batch, heads, keyHeads, valueHeads, queries } = problem
  const size = x.shape[3]!
  const apart = [batch * valueHeads, heads / valueHeads, 2, queries * size]
  const together = alternates(problem) ? tf.transpose(tf.reshape(x, apart), [0, 2, 1, 3]) : x
  return tf.reshape(together, [batch, keyHeads, ((heads * maps) / keyHeads) * queries, size])
}

/** The inverse of {@link byKeyHead}. */
export function byQueryHead(rows: tf.Tensor, problem: AttentionProblem): tf.Tensor {
  const { maps, batch, heads, valueHeads, queries } = problem
  const size = rows.shape[3]!
  const apart = [batch * valueHeads, 2, heads / valueHeads, queries * size]
  const ordered = alternates(problem) ? tf.transpose(tf.reshape(rows, apart), [0, 2, 1, 3]) : rows
  return tf.reshape(ordered, [batch, heads * maps, queries, size])
}

/** The logits of every map, `[batch, heads * maps, query, key]`, unmasked. Heads that share keys go through one product. */
function logits(q: tf.Tensor, k: tf.Tensor, problem: AttentionProblem): tf.Tensor {
  const kT = tf.transpose(k, [0, 1, 3, 2]) // [batch, keyHeads, width, key]
  return byQueryHead(tf.matMul(byKeyHead(tf.mul(q, problem.scale), problem), kT), problem)
}

/** The attention weights of every map: `[batch, heads, maps, query, key]`. Rows sum to 1, or to 0 where nothing is seen. */
export function attentionMaps(
  { q, k, mask, keyBias }: Pick<AttentionInputs, 'q' | 'k' | 'mask' | 'keyBias'>,
  problem: AttentionProblem,
): tf.Tensor {
  const { maps, batch, heads, queries, keys, causal } = problem
  const s = tf.reshape(logits(headsFirst(q, problem), headsFirst(k, problem), problem), [
    batch * heads,
    maps,
    queries,
    keys,
  ])
  let masked = causal ? tf.add(s, causalMask(queries, keys)) : s
  if (mask || keyBias) {
    const perHead = tf.reshape(masked, [batch, heads, maps * queries, keys])
    let sum = perHead
    if (mask) {
      const four = tf.reshape(mask, [...(mask.rank === 2 ? [1, 1] : mask.shape.slice(0, 2)), queries, keys])
      sum = tf.add(sum, maps === 2 ? tf.concat([four, four], 2) : four)
    }
    if (keyBias) sum = tf.add(sum, tf.reshape(keyBias, [batch, 1, 1, keys]))
    masked = tf.reshape(sum, [batch * heads, maps, queries, keys])
  }
  return tf.reshape(maskedSoftmax(masked), [batch, heads, maps, queries, keys])
}

/** Lambda, one number or one per token and head in the layout of the problem, as `[batch, heads, query, 1]` or scalar. */
export function broadcastLambda(lambda: tf.Tensor, { layout }: AttentionProblem): tf.Tensor {
  if (lambda.rank === 0) return lambda
  return tf.expandDims(layout === 'heads-first' ? lambda : tf.transpose(lambda, [0, 2, 1]), 3)
}

/** Takes `[batch, heads, maps, query, key]` apart: one `[batch, heads, query, key]` per map. */
export function mapsOf(a: tf.Tensor, { maps, batch, heads, queries, keys }: AttentionProblem): tf.Tensor[] {
  if (maps === 1) return [tf.reshape(a, [batch, heads, queries, keys])] // the gradient of a split in one throws
  return tf
    .split(tf.reshape(a, [batch * heads, maps, queries * keys]), maps, 1)
    .map((map) => tf.reshape(map, [batch, heads, queries, keys]))
}

/** `[batch, heads, query, size]` to `[batch, valueHeads, heads / valueHeads * query, size]`: rows by value head. */
export function byValueHead(
  x: tf.Tensor,
  { batch, heads, valueHeads, queries }: AttentionProblem,
): tf.Tensor {
  return tf.reshape(x, [batch, valueHeads, (heads / valueHeads) * queries, x.shape[3]!])
}

/** The op in plain tf ops, differentiable by tfjs itself. */
export function referenceAttention(
  { q, k, v, lambda, mask, keyBias }: AttentionInputs,
  problem: AttentionProblem,
): tf.Tensor {
  return tf.tidy(() => {
    const { maps, batch, heads, queries, valueWidth, dropout, seed } = problem
    let a = attentionMaps({ q, k, mask, keyBias }, problem)
    if (dropout > 0) a = tf.dropout(a, dropout, undefined, seed)
    const [a1, a2] = mapsOf(a, problem)
    const weights = maps === 2 ? tf.sub(a1!, tf.mul(broadcastLambda(lambda!, problem), a2!)) : a1!
    const rows = tf.matMul(byValueHead(weights, problem), headsFirst(v, problem))
    return headsFirst(tf.reshape(rows, [batch, heads, queries, valueWidth]), problem)
  })
}
