/** Blocks, models, generation, sampling, grafting and weight files. */
import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import { loadLayersModel, sequential } from '@tensorflow/tfjs-layers'
import { createRandom, defaultStep } from '@tfgraft/core'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { describe, expect, it } from 'vitest'
import {
  attentionMapsOf,
  causalLanguageModel,
  diffAttentionMethod,
  differentialAttention,
  differentialAttentionV2,
  diffLlamaNames,
  exportWeights,
  generate,
  importWeights,
  lambdaInit,
  microsoftNames,
  multiHeadAttention,
  nucleusDistribution,
  nucleusSample,
  readSafetensors,
  transformerBlock,
  writeSafetensors,
} from './index'

const size = { vocabularySize: 11, dim: 16, numLayers: 2, numHeads: 2 }
const all = async <T>(items: AsyncIterable<T>) => {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}
const models = {
  differential: () => causalLanguageModel(size),
  'version 2': () =>
    causalLanguageModel({
      ...size,
      attention: () =>
        differentialAttentionV2({ numHeads: 2, numKeyValueHeads: 1, causal: true, rotary: 'half-split' }),
    }),
  'plain with learned positions': () =>
    causalLanguageModel({
      ...size,
      maxLength: 64,
      attention: () => multiHeadAttention({ numHeads: 2, causal: true }),
    }),
}

describeBackends('language models', () => {
  it.each(Object.entries(models))(
    '%s: generates the same tokens with the cache as without',
    async (_, make) => {
      const model = make()
      for (const options of [{ temperature: 0 }, { topP: 0.9, seed: 3 }, { topK: 3, temperature: 2 }]) {
        const cached = await all(generate(model, [1, 2, 3], { ...options, maxTokens: 12 }))
        expect(cached).toHaveLength(12)
        expect(await all(generate(model, [1, 2, 3], { ...options, maxTokens: 12, useCache: false }))).toEqual(
          cached,
        )
      }
    },
  )

  it('a batch of prompts of different lengths gives what each gives alone', async () => {
    const model = models.differential()
    const greedy = { temperature: 0, maxTokens: 6 }
    const steps = await all(generate(model, [[1, 2, 3, 4], [5]], greedy))
    for (const [i, prompt] of [[1, 2, 3, 4], [5]].entries())
      expect(steps.map((tokens) => tokens[i]).filter((token) => token !== null)).toEqual(
        await all(generate(model, prompt, greedy)),
      )
  })

  it('stops at stop tokens, at the signal, and leaves no tensor behind', async () => {
    const model = models.differential()
    await all(generate(model, [1], { maxTokens: 1 }))
    const greedy = await all(generate(model, [1], { temperature: 0, maxTokens: 8 }))
    const stop = greedy[2]!
    await expectNoTensorLeak(async () => {
      const stopped = await all(generate(model, [1], { temperature: 0, maxTokens: 8, stopTokens: [stop] }))
      expect(stopped).toEqual(greedy.slice(0, greedy.indexOf(stop) + 1))
      const abort = new AbortController()
      const some: number[] = []
      for await (const token of generate(model, [1], { signal: abort.signal })) {
        some.push(token)
        if (some.length === 3) abort.abort()
      }
      expect(some).toHaveLength(3)
      for await (const _ of generate(model, [1])) break
    })
  })

  it('refuses models that look ahead, and empty prompts', () => {
    const model = causalLanguageModel({
      ...size,
      attention: () => differentialAttention({ numHeads: 2, name: 'ahead' }),
    })
    expect(() => generate(model, [1])).toThrow('Received ahead with causal=false.')
    expect(() => generate(models.differential(), [[1], [99]])).toThrow(
      /`prompt` must hold tokens from 0 to \d+, the model's vocabulary. Received 99./,
    )
    expect(() => generate(models.differential(), [])).toThrow('`prompt` must hold at least one token')
    expect(() => generate(models.differential(), [1], { topP: 2 })).toThrow(
      'generate: `topP` must be in [0, 1].',
    )
  })

  it('saves and loads, blocks included', async () => {
    const model = models.differential()
    const ids = tf.tensor2d([[1, 2, 3]], [1, 3], 'int32')
    let saved: tf.io.ModelArtifacts | undefined
    await model.save(
      tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts
        return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
      }),
    )
    const loaded = await loadLayersModel(tf.io.fromMemory(saved!))
    expectClose(loaded.predict(ids) as tf.Tensor, model.predict(ids) as tf.Tensor)
  })

  it('learns to repeat a sequence', async () => {
    const model = causalLanguageModel({ ...size, vocabularySize: 5 })
    const ids = tf.tensor2d([[0, 1, 2, 3, 4, 0, 1, 2, 3]], [1, 9], 'int32')
    const optimizer = tf.train.adam(0.01)
    const labels = tf.oneHot(tf.slice(ids, [0, 1], [1, 8]), 5)
    const loss = () =>
      tf.losses.softmaxCrossEntropy(
        labels,
        tf.slice(model.apply(ids) as tf.Tensor, [0, 0, 0], [1, 8, 5]),
      ) as tf.Scalar
    const first = loss().dataSync()[0]!
    for (let step = 0; step < 30; step++) optimizer.minimize(loss)
    expect(loss().dataSync()[0]).toBeLessThan(first / 4)
    expect(await all(generate(model, [0, 1], { temperature: 0, maxTokens: 3 }))).toEqual([2, 3, 4])
  })

  it('a block is a layer of a Sequential model', () => {
    const model = sequential({
      layers: [
        transformerBlock({ dim: 8, attention: multiHeadAttention({ numHeads: 2 }), feedForwardDim: 12 }),
      ],
    })
    expect((model.predict(tf.ones([1, 3, 8])) as tf.Tensor).shape).toEqual([1, 3, 8])
  })

  it.each([1, 2] as const)(
    'diffAttentionMethod, version %i: same predictions, then every weight trains',
    (version) => {
      const attention = () =>
        multiHeadAttention({
          numHeads: 2,
          numKeyValueHeads: 1,
          causal: true,
          rotary: 'interleaved',
          useBias: true,
        })
      const model = causalLanguageModel({ ...size, attention })
      const loss = (y: tf.Tensor, p: tf.Tensor) =>
        tf.losses.softmaxCrossEntropy(tf.oneHot(tf.cast(y, 'int32'), 11), p)
      const setup = { model, optimizer: tf.train.sgd(0.1), loss, step: defaultStep }
      const grafted = diffAttentionMethod({ version }).apply(setup).model
      const ids = tf.tensor2d([[1, 2, 3, 4]], [1, 4], 'int32')
      expectClose(grafted.predict(ids) as tf.Tensor, model.predict(ids) as tf.Tensor)
      const { grads } = tf.variableGrads(() => loss(ids, grafted.apply(ids) as tf.Tensor) as tf.Scalar)
      const lambdas = Object.keys(grads).filter((name) => name.includes('lambda'))
      expect(lambdas.length).toBe(version === 1 ? 8 : 2)
      for (const name of lambdas) expect(tf.max(tf.abs(grads[name]!)).dataSync()[0]).toBeGreaterThan(0)
      expect(() => diffAttentionMethod().apply({ ...setup, model: grafted })).toThrow(
        'must have a MultiHeadAttention',
      )
    },
  )

  it.each([1, 2] as const)(
    'diffAttentionMethod, version %i, fresh: the layers of the paper, deeper by deeper',
    (version) => {
      const attention = () => multiHeadAttention({ numHeads: 4, numKeyValueHeads: 2, causal: true })
      const model = causalLanguageModel({ ...size, attention })
      const setup = {
        model,
        optimizer: tf.train.sgd(0.1),
        loss: tf.losses.meanSquaredError,
        step: defaultStep,
      }
      const fresh = diffAttentionMethod({ version, weights: 'fresh' }).apply(setup).model
      const found = fresh.layers.flatMap((layer) =>
        'layers' in layer ? (layer.layers as typeof fresh.layers) : [],
      )
      const [first, second] = found.filter((layer) => /^Differential/.test(layer.getClassName()))
      if (version === 1) {
        expect([first, second].map((layer) => layer?.getConfig())).toMatchObject([
          { numHeads: 2, numKeyValueHeads: 1, headDim: 4, lambdaInit: lambdaInit(0), normalize: true },
          { numHeads: 2, numKeyValueHeads: 1, headDim: 4, lambdaInit: lambdaInit(1), normalize: true },
        ])
        // As many parameters, but for the lambda vectors and the scale of the normalisation.
        expect(fresh.countParams() - model.countParams()).toBe(2 * (4 * 4 + 8))
      } else expect(first?.getConfig()).toMatchObject({ numHeads: 4, numKeyValueHeads: 2, headDim: 4 })
      const odd = causalLanguageModel({ ...size, attention: () => multiHeadAttention({ numHeads: 1 }) })
      if (version === 1)
        expect(() => diffAttentionMethod({ weights: 'fresh' }).apply({ ...setup, model: odd })).toThrow(
          /which must be even. Received .* with numHeads=1, numKeyValueHeads=1.$/,
        )
    },
  )

  it('reads golden weights of Microsoft and Hugging Face through a safetensors file', () => {
    const golden = (name: string) =>
      JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), 'utf8'))
    const tensor = ({ data, shape }: { data: number[]; shape: number[] }) => tf.tensor(data, shape)
    const through = (params: Record<string, { data: number[]; shape: number[] }>) =>
      readSafetensors(
        writeSafetensors(
          Object.fromEntries(Object.entries(params).map(([k, v]) => [`layer.0.${k}`, tensor(v)])),
        ),
      )

    const ms = golden('diffattn_ms_mha_h2_d3_rot')
    const layer = differentialAttention({ numHeads: 2, depth: 3, causal: true, rotary: 'interleaved' })
    const x = tensor(ms.inputs.x)
    layer.apply(x)
    importWeights(layer, through(ms.params), microsoftNames, 'layer.0.')
    expectClose(layer.apply(x) as tf.Tensor, ms.outputs.out)

    const hf = golden('diffattn_hf_mha_h4')
    const llama = differentialAttention({
      ...{ numHeads: 2, depth: 2, causal: true, rotary: 'half-split', pairing: 'halves', normAffine: false },
    })
    const y = tensor(hf.inputs.x)
    llama.apply(y)
    importWeights(llama, through(hf.params), diffLlamaNames, 'layer.0.')
    expectClose(llama.apply(y) as tf.Tensor, hf.outputs.out)
    expectClose(exportWeights(llama, diffLlamaNames)['q_proj.weight']!, hf.params['q_proj.weight'])
    const unbuilt = differentialAttention({ numHeads: 2 })
    const rule = '`layer` must be applied or built before, so that it has weights.'
    expect(() => importWeights(unbuilt, {}, microsoftNames)).toThrow(`importWeights: ${rule}`)
    expect(() => exportWeights(unbuilt, microsoftNames)).toThrow(`exportWeights: ${rule}`)
    expect(() => attentionMapsOf(unbuilt, tf.ones([1, 2, 8]))).toThrow(`attentionMapsOf: ${rule}`)
    expect(() => importWeights(llama, {}, diffLlamaNames)).toThrow('`tensors` must hold query_kernel')
  })
})

describe('sampling and files', () => {
  it('the nucleus is that of the course, with temperature', () => {
    const { cases } = JSON.parse(
      readFileSync(new URL('../fixtures/hw3_nucleus.json', import.meta.url), 'utf8'),
    ) as {
      cases: {
        logits: { data: number[]; shape: number[] }
        top_p: number
        t: number
        probs: { data: number[] }
      }[]
    }
    for (const { logits, top_p: topP, t: temperature, probs } of cases) {
      const n = logits.shape.at(-1)!
      for (let row = 0; row * n < logits.data.length; row++)
        expectClose(
          nucleusDistribution(logits.data.slice(row * n, (row + 1) * n), { topP, temperature }),
          probs.data.slice(row * n, (row + 1) * n),
          { rtol: 1e-6, atol: 1e-9 },
        )
    }
  })

  it('topK keeps the most probable, temperature 0 the largest, and samples follow the distribution', () => {
    expectClose(nucleusDistribution([1, 3, 2], { topK: 2 }), [0, 0.7310585786, 0.2689414214], { rtol: 1e-9 })
    expectClose(nucleusDistribution([1, 3, 2], { temperature: 0 }), [0, 1, 0])
    const random = createRandom(1)
    const draws = Array.from({ length: 4000 }, () => nucleusSample([1, 3, 2], random, { topK: 2 }))
    expect(draws.filter((token) => token === 1).length / 4000).toBeCloseTo(0.731, 1)
  })

  it('reads half precision, bfloat16 and 64-bit integers, and refuses what is not a file', () => {
    const header = JSON.stringify({
      half: { dtype: 'F16', shape: [3], data_offsets: [0, 6] },
      brain: { dtype: 'BF16', shape: [1], data_offsets: [6, 8] },
      long: { dtype: 'I64', shape: [1], data_offsets: [8, 16] },
      flag: { dtype: 'BOOL', shape: [1], data_offsets: [16, 17] },
    })
    const file = new Uint8Array(8 + header.length + 17)
    const view = new DataView(file.buffer)
    view.setBigUint64(0, BigInt(header.length), true)
    file.set(new TextEncoder().encode(header), 8)
    const data = 8 + header.length
    for (const [i, word] of [0x3c00, 0xc500, 0x0001, 0xbf80].entries())
      view.setUint16(data + 2 * i, word, true)
    view.setBigInt64(data + 8, -7n, true)
    view.setUint8(data + 16, 1)
    const { half, brain, long, flag } = readSafetensors(file)
    expectClose(half!, [1, -5, 2 ** -24], { atol: 0 })
    expectClose(brain!, [-1])
    expect(long!.dtype).toBe('int32')
    expectClose(long!, [-7])
    expect(flag!.dtype).toBe('bool')
    expect(() => readSafetensors(file.subarray(0, 4))).toThrow('must begin with 8 bytes')
    expect(() => readSafetensors(file.subarray(0, file.length - 9))).toThrow(
      'must hold the data of each tensor',
    )
  })
})
