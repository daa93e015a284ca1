/** Attention on several threads of the wasm backend gives the numbers of one. */
import '@tensorflow/tfjs-layers' // registers tfjs's gradients
import * as tf from '@tensorflow/tfjs-core'
import { useBackend } from '@tfgraft/backends'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { attentionOp } from './attention-op'
import { filled, random, row, type Sizes } from './cases'

// More than one first: that decides whether the memory is shared.
beforeAll(() => useBackend('wasm', { threads: 3 }))
afterAll(() => useBackend('wasm', { threads: 1 }))

const shapes: Record<string, { sizes: Sizes; causal: boolean }> = {
  'causal, lengths that are no multiple of a tile': {
    sizes: { queries: 333, heads: 5, width: 16, valueWidth: 32 },
    causal: true,
  },
  'grouped heads, lambda per token, a batch': {
    sizes: { queries: 200, batch: 2, heads: 4, valueHeads: 2, keySlots: 1, width: 16, tokens: true },
    causal: false,
  },
  'plain, more queries than keys': {
    sizes: { maps: 1, queries: 300, keys: 100, heads: 4, width: 32 },
    causal: true,
  },
}

it.each(Object.entries(shapes))('%s', async (_, { sizes, causal }) => {
  const results: number[][][] = []
  for (const threads of [1, 3]) {
    await useBackend('wasm', { threads })
    results.push(
      tf.tidy(() => {
        const { q, k, v, lambda } = filled(sizes)
        const { attrs } = row('', sizes, { causal })
        const f = (...[q, k, v, l]: tf.Tensor[]) =>
          attentionOp({ q: q!, k: k!, v: v!, ...(l && { lambda: l }) }, attrs)
        const xs = [q, k, v, ...(lambda ? [lambda] : [])]
        const y = f(...xs)
        return [y, ...tf.grads(f)(xs, random(y.shape, 7))].map((x) => Array.from(x.dataSync()))
      }) as unknown as number[][],
    )
  }
  expect(results[1]).toEqual(results[0])
})
