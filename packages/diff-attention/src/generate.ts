/** Token by token generation, with the keys and values of earlier positions kept. */
import * as tf from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import { createRandom, type Random } from '@tfgraft/core'
import { allLayers, isAttention } from './attention-layers-of'
import { KeyValueCache } from './key-value-cache'
import { checkSampling, nucleusSample, type SamplingOptions } from './sampling'

export interface GenerateOptions extends SamplingOptions {
  /** Tokens to generate at most, per sequence. @default 100 */
  maxTokens?: number
  /** A sequence ends when it generates one of these; the token is still yielded. @default none */
  stopTokens?: readonly number[]
  /** Of the sampling. @default 0 */
  seed?: number | string
  /** Whether to keep keys and values between steps. The tokens are the same either way. @default true */
  useCache?: boolean
  /** Ends the generation when aborted. */
  signal?: AbortSignal
}

function checkCausal(model: LayersModel): void {
  for (const layer of allLayers(model))
    if (isAttention(layer) && !layer.settings.causal)
      throw new Error(
        `generate: \`model\` must have causal attention layers only. Received ${layer.name} with causal=false.`,
      )
}

/** Logits of the last position of each sequence, `[batch][vocabulary]`, given all tokens so far. */
async function lastLogits(
  model: LayersModel,
  tokens: readonly number[][],
  cache: KeyValueCache | undefined,
): Promise<Float32Array[]> {
  const batch = tokens.length
  const length = tokens[0]!.length
  const from = cache?.length ?? 0
  const last = tf.tidy(() => {
    const fresh = tokens.map((sequence) => sequence.slice(from))
    const ids = tf.tensor2d(fresh.flat(), [batch, length - from], 'int32')
    const logits = model.apply(ids, cache && { cache }) as tf.Tensor
    return tf.slice(logits, [0, length - from - 1, 0], [batch, 1, logits.shape[2]!])
  })
  cache?.advance(length - from)
  const values = (await last.data()) as Float32Array
  last.dispose()
  const vocabulary = values.length / batch
  return tokens.map((_, i) => values.subarray(i * vocabulary, (i + 1) * vocabulary))
}

/**
 * Continues a prompt, or a batch of prompts.
 *
 * @param model Token numbers `[batch, length]` to logits `[batch, length, vocabulary]`, as {@link causalLanguageModel} makes. It may
 * hold attention layers of this package and layers that treat each position by itself.
 * @param prompt Tokens, or one array of tokens per sequence; they may differ in length.
 * @param options See {@link GenerateOptions}. `temperature: 0` is greedy.
 * @returns An async iterator: one token at a time; for a batch, one array at a time with a token per sequence, `null` for
 * sequences that have ended, or whose prompt is still being read.
 * @throws When an option is out of range, a prompt is empty or holds no token of the vocabulary, or an attention layer is not causal.
 * @example
 * ```ts
 * import { causalLanguageModel, generate } from '@tfgraft/diff-attention'
 *
 * const model = causalLanguageModel({ vocabularySize: 7, dim: 16, numLayers: 2, numHeads: 2 })
 * for await (const token of generate(model, [1, 2, 3], { maxTokens: 5, temperature: 0.8, topP: 0.9 })) console.log(token)
 * ```
 */
export function generate(
  model: LayersModel,
  prompt: readonly number[],
  options?: GenerateOptions,
): AsyncGenerator<number, void>
export function generate(
  model: LayersModel,
  prompt: readonly (readonly number[])[],
  options?: GenerateOptions,
): AsyncGenerator<(number | null)[], void>
export function generate(
  model: LayersModel,
  prompt: readonly number[] | readonly (readonly number[])[],
  options: GenerateOptions = {},
): AsyncGenerator<number | (number | null)[], void> {
  checkSampling('generate', options)
  checkCausal(model)
  const { maxTokens = 100 } = options
  if (!(Number.isInteger(maxTokens) && maxTokens >= 0))
    throw new Error(
      `generate: \`maxTokens\` must be an integer of at least 0. Received maxTokens=${maxTokens}.`,
    )
  const single = typeof prompt[0] === 'number'
  const prompts = (single ? [prompt] : prompt) as readonly (readonly number[])[]
  if (!prompts.length || prompts.some((tokens) => !tokens?.length))
    throw new Error('generate: `prompt` must hold at least one token per sequence. Received an empty one.')
  const vocabulary = model.outputs[0]!.shape.at(-1)
  const strange = prompts
    .flat()
    .find((token) => !(Number.isInteger(token) && token >= 0 && token < vocabulary!))
  if (strange !== undefined)
    throw new Error(
      `generate: \`prompt\` must hold tokens from 0 to ${vocabulary! - 1}, the model's vocabulary. Received ${strange}.`,
    )
  const batches = generateBatch(model, prompts, options, maxTokens)
  return single ? only(batches) : batches
}

async function* only(batches: AsyncGenerator<(number | null)[], void>): AsyncGenerator<number, void> {
  for await (const [token] of batches) yield token!
}

async function* generateBatch(
  model: LayersModel,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
  maxTokens: number,
): AsyncGenerator<(number | null)[], void> {
  const { stopTokens = [], seed = 0, useCache = true, signal } = options
  const randoms: Random[] = prompts.map((_, i) => createRandom(`${seed}/${i}`))
  const cache = useCache ? new KeyValueCache() : undefined
  // Starts where the shortest prompt ends. A longer prompt overrules what would be generated until it is read.
  const shortest = Math.min(...prompts.map((tokens) => tokens.length))
  const sequences = prompts.map((tokens) => tokens.slice(0, shortest))
  const generated = prompts.map(() => 0)
  const ended = prompts.map(() => maxTokens === 0)
  try {
    while (!ended.every(Boolean) && !signal?.aborted) {
      const logits = await lastLogits(model, sequences, cache)
      const step = sequences.map((sequence, i) => {
        const given = prompts[i]![sequence.length]
        // Sequences that have ended go on with any token, to keep the batch rectangular.
        const token = given ?? (ended[i] ? 0 : nucleusSample(logits[i]!, randoms[i]!, options))
        sequence.push(token)
        if (given !== undefined || ended[i]) return null
        generated[i]!++
        ended[i] = generated[i]! >= maxTokens || stopTokens.includes(token)
        return token
      })
      yield step
    }
  } finally {
    cache?.dispose()
  }
}
