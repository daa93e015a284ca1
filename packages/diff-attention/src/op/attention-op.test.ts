/** Every kernel against plain tf ops on the cpu. */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '@tfgraft/backends'
import { describeBackends, describeOp, expectClose, testedBackends } from '@tfgraft/testing'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { attentionGradientOp, attentionOp } from './attention-op'
import { attentionCases, filled, random, row } from './cases'
import { type AttentionInputs, type AttentionProblem, attentionProblem } from './options'
import { forwardOnWebgpu } from './webgpu'
import { backwardOnWebgpu } from './webgpu-backward'

describeOp(attentionOp, attentionCases)

/** The WebGPU kernels as on a device without extensions. */
const noFeatures = new Set<string>()
const plainGradient = defineOp<
  AttentionInputs & { dy: tf.Tensor },
  AttentionProblem,
  [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]
>({
  name: 'diff-attention-test/AttentionGradient',
  reference: attentionGradientOp.reference,
  kernels: {
    webgpu: {
      ...backwardOnWebgpu,
      run: (call) => backwardOnWebgpu.run({ ...call, features: noFeatures }),
    },
  },
})
const plainAttention = defineOp<AttentionInputs, AttentionProblem, tf.Tensor>({
  name: 'diff-attention-test/Attention',
  reference: attentionOp.reference,
  gradient: ({ dy, inputs, attrs }) => {
    const [q, k, v, perToken] = plainGradient({ ...inputs, dy }, attrs)
    return { q, k, v, lambda: () => (inputs.lambda?.rank ? perToken : tf.sum(perToken)) }
  },
  kernels: {
    webgpu: { ...forwardOnWebgpu, run: (call) => forwardOnWebgpu.run({ ...call, features: noFeatures }) },
  },
})
if (testedBackends.includes('webgpu'))
  describeOp(
    plainAttention,
    attentionCases.filter(({ title }) => ['a tile and a row', 'plain', 'grouped heads'].includes(title)),
  )

const sizes = fc.record({
  maps: fc.constantFrom<(1 | 2)[]>(1, 2),
  batch: fc.integer({ min: 1, max: 2 }),
  repeats: fc.integer({ min: 1, max: 3 }),
  valueHeads: fc.integer({ min: 1, max: 2 }),
  slots: fc.constantFrom<(1 | 2)[]>(1, 2),
  queries: fc.integer({ min: 1, max: 70 }),
  keys: fc.integer({ min: 1, max: 70 }),
  width: fc.integer({ min: 1, max: 14 }),
  valueWidth: fc.integer({ min: 1, max: 27 }),
  causal: fc.boolean(),
  lengthFirst: fc.boolean(),
  tokens: fc.boolean(),
  masks: fc.constantFrom('none', 'mask', 'batch mask', 'head mask', 'keys', 'both'),
})

describeBackends(
  'attention kernels',
  (backend) => {
    /** Result and gradients, as numbers. */
    const evaluate = (inputs: AttentionInputs, attrs: AttentionProblem, dy: tf.Tensor) =>
      tf.tidy(() => {
        const { lambda } = inputs
        const xs = [inputs.q, inputs.k, inputs.v, ...(lambda ? [lambda] : [])]
        const f = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, l?: tf.Tensor) =>
          attentionOp({ ...inputs, q, k, v, ...(l && { lambda: l }) }, attrs)
        const gradients = tf.grads((...[q, k, v, l]: tf.Tensor[]) => f(q!, k!, v!, l))(xs, dy)
        return [f(inputs.q, inputs.k, inputs.v, lambda), ...gradients].map((x) => Array.from(x.dataSync()))
      })

    it('agree with the reference on random shapes and masks', async () => {
      await fc.assert(
        fc.asyncProperty(sizes, async (s) => {
          const { maps, batch, valueHeads, queries, keys, masks } = s
          const heads = s.repeats * valueHeads
          const inputs = filled({ ...s, heads, keySlots: maps === 1 ? 1 : s.slots })
          if (s.lengthFirst)
            for (const name of ['q', 'k', 'v', 'lambda'] as const) {
              const x = inputs[name]
              if (x?.rank) inputs[name] = tf.transpose(x, [0, 2, 1, 3].slice(0, x.rank))
            }
          const hide = (x: tf.Tensor) => tf.where(tf.greater(x, 0.8), tf.fill(x.shape, -Infinity), x)
          if (masks === 'mask' || masks === 'both') inputs.mask = hide(random([queries, keys], 5))
          if (masks === 'batch mask') inputs.mask = hide(random([batch, 1, queries, keys], 5))
          if (masks === 'head mask') inputs.mask = hide(random([1, heads, queries, keys], 5))
          if (masks === 'keys' || masks === 'both') inputs.keyBias = hide(random([batch, keys], 6))
          const { q, k, v } = inputs
          const attrs = attentionProblem('test', maps, q, k, v, {
            causal: s.causal,
            layout: s.lengthFirst ? 'length-first' : 'heads-first',
          })
          const dy = random(
            s.lengthFirst ? [batch, queries, heads, s.valueWidth] : [batch, heads, queries, s.valueWidth],
            7,
          )
          const actual = evaluate(inputs, attrs, dy)
          await tf.setBackend('cpu')
          const expected = evaluate(inputs, attrs, dy)
          await tf.setBackend(backend)
          actual.forEach((x, i) => {
            expectClose(x, expected[i]!, { rtol: 1e-4, atol: 3e-5 })
          })
          tf.dispose([...Object.values(inputs), dy])
        }),
        // On SwiftShader, compiling takes seconds per run.
        { numRuns: backend === 'webgpu' ? 8 : 60, seed: 1 },
      )
    })

    it('agree at length 1025, whose tiles are not whole', async () => {
      const { inputs, attrs } = row('', { queries: 1025, width: 8, valueWidth: 16 }, { causal: true })
      const tensors = inputs()
      const dy = random([1, 1, 1025, 16], 7)
      const actual = evaluate(tensors, attrs, dy)
      await tf.setBackend('cpu')
      const expected = evaluate(tensors, attrs, dy)
      await tf.setBackend(backend)
      actual.forEach((x, i) => {
        expectClose(x, expected[i]!, { rtol: 1e-4, atol: 3e-5 })
      })
    })

    it('keep logits of 1e4 finite, and NaN in the rows that it reaches', () => {
      const { inputs, attrs } = row('', { queries: 40, logits: 1e4 }, { causal: true })
      const [o, ...gradients] = evaluate(inputs(), attrs, tf.ones([1, 1, 40, 8]))
      for (const x of [o!, ...gradients]) expect(x.every(Number.isFinite)).toBe(true)
      const bad = inputs()
      const at20 = tf.reshape(tf.oneHot([20], 40), [1, 1, 40, 1])
      bad.k = tf.where(tf.cast(at20, 'bool'), tf.fill(bad.k.shape, Number.NaN), bad.k)
      const reached = Array.from(attentionOp(bad, attrs).dataSync()).map(Number.isNaN)
      expect(reached).toEqual(Array.from({ length: 320 }, (_, i) => i >= 20 * 8))
    })
  },
  ['wasm', 'webgpu'],
)
