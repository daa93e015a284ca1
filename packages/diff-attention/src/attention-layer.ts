/** What the three attention layers share: their common options, projections, positions, masks and the cache of keys. */
import * as tf from '@tensorflow/tfjs-core'
import { initializers, type layers, type Shape } from '@tensorflow/tfjs-layers'
import { KeyValueCache } from './key-value-cache'
import { type CallOptions, firstShape, type LayerOptions, type Weight } from './layer-inputs'
import { type AttentionOptions, type TilePrecision, tilePrecisions } from './op/options'
import type { RotaryStyle } from './op/rotary'
import { type LinearWeights, projectWith } from './project'
import { applyRotary } from './rotary-embedding'

export type KernelInitializer =
  | 'glorotUniform'
  | 'glorotNormal'
  | 'heNormal'
  | 'leCunNormal'
  | 'truncatedNormal'

export interface AttentionLayerArgs extends LayerOptions {
  /** Heads of the result. */
  numHeads: number
  /** Heads of keys and values; must divide `numHeads`. 1 is multi-query attention. @default numHeads */
  numKeyValueHeads?: number
  /** Width of one query or key. Its default makes queries as wide as the input, see each layer. */
  headDim?: number
  /** Hides later positions. Combined with every other mask. @default false */
  causal?: boolean
  /** Rotates queries and keys by their positions. @default no rotation */
  rotary?: RotaryStyle
  /** @default 10000 */
  rotaryBase?: number
  /** Probability of dropping an attention weight while training, in [0, 1). @default 0 */
  dropout?: number
  /** Seed of the dropout. */
  seed?: number
  /** Whether the query, key and value projections have biases. @default false */
  useBias?: boolean
  /** Whether the output projection has a bias. @default useBias */
  outputBias?: boolean
  /** Initialiser of the projections. @default 'glorotUniform' */
  kernelInitializer?: KernelInitializer
  /** `'float16'`: WebGPU kernels keep tiles as half floats, where the device has them; see the ops. @default 'float32' */
  tilePrecision?: TilePrecision
}

/** The common options with their defaults. `headDim` may wait for the input's width. */
export interface AttentionSettings {
  numHeads: number
  numKeyValueHeads: number
  headDim?: number
  causal: boolean
  rotary?: RotaryStyle
  rotaryBase: number
  dropout: number
  seed?: number
  useBias: boolean
  outputBias: boolean
  kernelInitializer: KernelInitializer
  tilePrecision: TilePrecision
}

const initializerNames: readonly string[] = [
  'glorotUniform',
  'glorotNormal',
  'heNormal',
  'leCunNormal',
  'truncatedNormal',
]

/** Width of one head of a layer whose heads share the features of the input, unless `headDim` says otherwise. */
export function headFeatures(
  className: string,
  { headDim: given, numHeads, rotary }: AttentionSettings,
  dim: number,
): number {
  const headDim = given ?? dim / numHeads
  if (!Number.isInteger(headDim) || (rotary && headDim % 2 !== 0))
    throw new Error(
      `${className}: \`numHeads\` must divide the input's features${rotary ? ' into even parts' : ''}, ` +
        `or \`headDim\` must be given. Received numHeads=${numHeads}, features=${dim}.`,
    )
  return headDim
}

/** Checks the common options of `className` and fills in defaults. */
export function attentionSettings(className: string, args: AttentionLayerArgs): AttentionSettings {
  const check = (holds: boolean, rule: string, received: string) => {
    if (!holds) throw new Error(`${className}: ${rule}. Received ${received}.`)
  }
  const { numHeads, numKeyValueHeads = numHeads, headDim, rotary, rotaryBase = 10000, dropout = 0 } = args
  const positive = (x: unknown) => Number.isInteger(x) && (x as number) > 0
  check(positive(numHeads), '`numHeads` must be a positive integer', `numHeads=${numHeads}`)
  check(
    positive(numKeyValueHeads),
    '`numKeyValueHeads` must be a positive integer',
    `numKeyValueHeads=${numKeyValueHeads}`,
  )
  check(
    numHeads % numKeyValueHeads === 0,
    '`numHeads` must be a multiple of `numKeyValueHeads`',
    `numHeads=${numHeads}, numKeyValueHeads=${numKeyValueHeads}`,
  )
  check(
    headDim === undefined || positive(headDim),
    '`headDim` must be a positive integer',
    `headDim=${headDim}`,
  )
  check(
    rotary === undefined || rotary === 'interleaved' || rotary === 'half-split',
    "`rotary` must be 'interleaved' or 'half-split'",
    `rotary=${rotary}`,
  )
  check(
    !rotary || headDim === undefined || headDim % 2 === 0,
    '`headDim` must be even for a rotary embedding',
    `headDim=${headDim}`,
  )
  check(rotaryBase > 0, '`rotaryBase` must be positive', `rotaryBase=${rotaryBase}`)
  check(dropout >= 0 && dropout < 1, '`dropout` must be in [0, 1)', `dropout=${dropout}`)
  const kernelInitializer = args.kernelInitializer ?? 'glorotUniform'
  check(
    initializerNames.includes(kernelInitializer),
    `\`kernelInitializer\` must be one of ${initializerNames.join(', ')}`,
    `kernelInitializer=${kernelInitializer}`,
  )
  const tilePrecision = args.tilePrecision ?? 'float32'
  check(
    tilePrecisions.includes(tilePrecision),
    "`tilePrecision` must be 'float32' or 'float16'",
    `tilePrecision=${tilePrecision}`,
  )
  const useBias = args.useBias ?? false
  return {
    numHeads,
    numKeyValueHeads,
    headDim,
    causal: args.causal ?? false,
    rotary,
    rotaryBase,
    dropout,
    seed: args.seed,
    useBias,
    outputBias: args.outputBias ?? useBias,
    kernelInitializer,
    tilePrecision,
  }
}

/** The settings as a layer configuration, without what is undefined. */
export const settingsConfig = (settings: AttentionSettings): Record<string, boolean | number | string> =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))

/** Width of the inputs: `[of queries, of keys and values]`. */
export function inputWidths(className: string, inputShape: Shape | Shape[]): [number, number] {
  const query = firstShape(inputShape)
  const context = (Array.isArray(inputShape[0]) && (inputShape as Shape[])[1]) || query
  if (query.length !== 3 || context.length !== 3)
    throw new Error(
      `${className}: \`inputs\` must be [batch, length, features]. Received [${query}] and [${context}].`,
    )
  return [query[2]!, context[2]!]
}

/** A layer's own `addWeight`, which tfjs keeps protected. */
type AddWeight = (name: string, shape: Shape, dtype: 'float32', initializer: Initializer) => Weight

type Initializer = ReturnType<typeof initializers.zeros>

/** Adds the weights of one projection to a layer. */
export function addProjection(
  addWeight: AddWeight,
  name: string,
  [inDim, outDim]: [number, number],
  { kernelInitializer }: AttentionSettings,
  useBias: boolean,
): LinearWeights {
  return {
    kernel: addWeight(`${name}_kernel`, [inDim, outDim], 'float32', initializers[kernelInitializer]({})),
    bias: useBias ? addWeight(`${name}_bias`, [outDim], 'float32', initializers.zeros()) : undefined,
  }
}

/** One linear map with its tensors read. */
export interface Projection {
  kernel: tf.Tensor
  bias?: tf.Tensor
}

export const read = ({ kernel, bias }: LinearWeights): Projection => ({
  kernel: kernel.read(),
  bias: bias?.read(),
})

/** Queries, keys and values of one call, `[batch, length, heads, width]`, and what the op needs to know besides. */
export interface Sequences {
  q: tf.Tensor
  k: tf.Tensor
  v: tf.Tensor
  options: AttentionOptions
}

/**
 * Projects the inputs, rotates by position, appends to the cache if there is one, and collects the masks.
 *
 * @param inputs `[x]`, `[x, context]` or `[x, context, additive mask]`.
 */
export function projectSequences(
  layer: layers.Layer,
  inputs: tf.Tensor | tf.Tensor[],
  kwargs: CallOptions,
  settings: AttentionSettings,
  projections: { query: Projection; key: Projection; value: Projection },
  heads: { query: number; key: number; value: number },
): Sequences {
  const [x, context = x!, mask] = Array.isArray(inputs) ? inputs : [inputs]
  const selfAttention = context === x
  const { cache } = kwargs
  const cached = cache instanceof KeyValueCache && selfAttention ? cache : undefined
  const toHeads = (input: tf.Tensor, { kernel, bias }: Projection, count: number) => {
    const y = projectWith(input, kernel, bias)
    return tf.reshape(y, [y.shape[0]!, y.shape[1]!, count, y.shape[2]! / count])
  }
  const position = (y: tf.Tensor) =>
    settings.rotary
      ? applyRotary(y, {
          style: settings.rotary,
          base: settings.rotaryBase,
          offset: cached?.length ?? 0,
        })
      : y
  const q = position(toHeads(x!, projections.query, heads.query))
  let k = position(toHeads(context, projections.key, heads.key))
  let v = toHeads(context, projections.value, heads.value)
  if (cached) [k, v] = cached.append(layer, k, v)
  return {
    q,
    k,
    v,
    options: {
      layout: 'length-first',
      causal: settings.causal,
      mask: mask ?? kwargs.attentionMask,
      // tfjs hands over the mask of the first input only: it speaks of the keys when they come from that input.
      keyMask: selfAttention && !cached ? (kwargs.mask ?? undefined) : undefined,
      dropout: kwargs.training ? settings.dropout : 0,
      seed: settings.seed,
      tilePrecision: settings.tilePrecision,
    },
  }
}

/** `[batch, length, heads, width]` to `[batch, length, features]` through the output projection. */
export function projectOutput(o: tf.Tensor, { kernel, bias }: Projection): tf.Tensor {
  const [batch, length, heads, width] = o.shape as [number, number, number, number]
  return projectWith(tf.reshape(o, [batch, length, heads * width]), kernel, bias)
}

/** The mask of the queries goes on; tfjs asks with one mask, or one per input. */
export const queryMask = (mask?: tf.Tensor | tf.Tensor[]): tf.Tensor | null =>
  (Array.isArray(mask) ? mask[0] : mask) ?? null
