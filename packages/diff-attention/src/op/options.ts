/** Options of the attention ops, and the check that makes one problem of tensors and options. */
import type * as tf from '@tensorflow/tfjs-core'

/** How differential heads that share keys find them. See {@link AttentionOptions.keyMapping}. */
export type KeyMapping = 'flash' | 'naive-compat'

/** The order of the axes of queries, keys, values and results. */
export type AttentionLayout = 'heads-first' | 'length-first'

export interface AttentionOptions {
  /** Factor on the dot products. @default 1 / sqrt(width) */
  scale?: number
  /**
   * Query i sees keys up to i + (keys - queries): the last query sees every key, so that a cache of earlier keys may
   * precede the queries. Combined with `mask` and `keyMask`. @default false
   */
  causal?: boolean
  /** Added to the logits: `[query, key]` or `[batch | 1, heads | 1, query, key]`. No gradient flows to it. */
  mask?: tf.Tensor
  /** `[batch, key]`: false or 0 hides a key from every query of its example. */
  keyMask?: tf.Tensor
  /**
   * With grouped heads, head h of H reads value head g = floor(h G / H) of G. With 2 G key heads, `flash` (as
   * Microsoft's flash modules, DiffLlama and the paper's structure have it) lets its two maps read key heads 2 g and 2 g + 1;
   * `naive-compat` reproduces Microsoft's naive module, whose two maps both read key head floor(2 h G / H).
   * @default 'flash'
   */
  keyMapping?: KeyMapping
  /** `[batch, heads, length, width]` (heads-first) or `[batch, length, heads, width]`. @default 'heads-first' */
  layout?: AttentionLayout
  /** Probability of dropping an attention weight, in [0, 1). Runs on plain tf ops when positive. @default 0 */
  dropout?: number
  /** Seed of the dropout. */
  seed?: number
  /**
   * How WebGPU kernels keep the queries, keys and values that they work on in workgroup memory, where the device has `shader-f16`:
   * `float16` takes half the memory, and rounds them to 11 bits (largest 65,504); weights and sums stay float32. Other devices and
   * backends compute in float32. @default 'float32'
   */
  tilePrecision?: TilePrecision
}

/** See {@link AttentionOptions.tilePrecision}. */
export type TilePrecision = 'float32' | 'float16'

export const tilePrecisions: readonly string[] = ['float32', 'float16'] satisfies TilePrecision[]

/** The tensors of the op. */
export interface AttentionInputs {
  q: tf.Tensor
  k: tf.Tensor
  v: tf.Tensor
  /** Scalar, or one per token and head. Absent in plain attention. */
  lambda?: tf.Tensor
  /** Additive, `[query, key]` or `[batch | 1, heads | 1, query, key]`. */
  mask?: tf.Tensor
  /** Additive, `[batch, key]`. */
  keyBias?: tf.Tensor
}

/** A checked attention problem. */
export interface AttentionProblem {
  /** Attention maps per head: 1 in plain attention, 2 in differential attention. */
  maps: 1 | 2
  batch: number
  /** Result heads. Queries have `maps` times as many. */
  heads: number
  keyHeads: number
  valueHeads: number
  queries: number
  keys: number
  /** Width of queries and keys. */
  width: number
  valueWidth: number
  scale: number
  causal: boolean
  keyMapping: KeyMapping
  layout: AttentionLayout
  dropout: number
  seed?: number
  tilePrecision: TilePrecision
}

/** Sizes of `[batch, heads, length, width]` whatever the layout. */
const sizes = (shape: number[], layout: AttentionLayout) =>
  layout === 'heads-first'
    ? { batch: shape[0]!, heads: shape[1]!, length: shape[2]!, width: shape[3]! }
    : { batch: shape[0]!, heads: shape[2]!, length: shape[1]!, width: shape[3]! }

export function attentionProblem(
  name: string,
  maps: 1 | 2,
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  options: AttentionOptions,
): AttentionProblem {
  const fail = (rule: string) => {
    throw new Error(`${name}: ${rule}. Received q=[${q.shape}], k=[${k.shape}], v=[${v.shape}].`)
  }
  for (const x of [q, k, v]) if (x.rank !== 4) fail('`q`, `k` and `v` must have 4 axes')
  const layout = options.layout ?? 'heads-first'
  const [qs, ks, vs] = [sizes(q.shape, layout), sizes(k.shape, layout), sizes(v.shape, layout)]
  if (qs.batch !== ks.batch || qs.batch !== vs.batch) fail('`q`, `k` and `v` must have the same batch size')
  if (ks.length !== vs.length) fail('`k` and `v` must have the same length')
  if (qs.width !== ks.width) fail('`q` and `k` must have the same width')
  if (qs.heads % maps !== 0) fail('`q` must have two heads per differential head')
  const heads = qs.heads / maps
  if (heads % vs.heads !== 0) fail('the heads of `v` must divide the result heads')
  if (ks.heads !== vs.heads && !(maps === 2 && ks.heads === 2 * vs.heads))
    fail(`\`k\` must have as many heads as \`v\`${maps === 2 ? ', or twice as many' : ''}`)
  const dropout = options.dropout ?? 0
  if (!(dropout >= 0 && dropout < 1))
    throw new Error(`${name}: \`dropout\` must be in [0, 1). Received dropout=${options.dropout}.`)
  const { mask, keyMask, tilePrecision = 'float32' } = options
  if (!tilePrecisions.includes(tilePrecision))
    throw new Error(
      `${name}: \`tilePrecision\` must be 'float32' or 'float16'. Received tilePrecision=${tilePrecision}.`,
    )
  const full = [qs.length, ks.length]
  const maskFits =
    !mask ||
    (`${mask.shape.slice(-2)}` === `${full}` &&
      (mask.rank === 2 ||
        (mask.rank === 4 && [1, qs.batch].includes(mask.shape[0]!) && [1, heads].includes(mask.shape[1]!))))
  if (!maskFits)
    throw new Error(
      `${name}: \`mask\` must be [query, key] or [batch | 1, heads | 1, query, key]. Received mask=[${mask.shape}], ` +
        `batch=${qs.batch}, heads=${heads}, query=${full[0]}, key=${full[1]}.`,
    )
  if (keyMask && `${keyMask.shape}` !== `${[qs.batch, ks.length]}`)
    throw new Error(
      `${name}: \`keyMask\` must be [batch, key]. Received keyMask=[${keyMask.shape}], batch=${qs.batch}, key=${ks.length}.`,
    )
  return {
    maps,
    batch: qs.batch,
    heads,
    keyHeads: ks.heads,
    valueHeads: vs.heads,
    queries: qs.length,
    keys: ks.length,
    width: qs.width,
    valueWidth: vs.width,
    scale: options.scale ?? 1 / Math.sqrt(qs.width),
    causal: options.causal ?? false,
    keyMapping: options.keyMapping ?? 'flash',
    layout,
    dropout,
    seed: options.seed,
    tilePrecision,
  }
}

/** The key head that map `map` of head `head` reads. */
export function keyHeadOf(problem: AttentionProblem, head: number, map: number): number {
  const { maps, heads, keyHeads, valueHeads, keyMapping } = problem
  if (keyHeads === valueHeads || keyMapping === 'naive-compat')
    return Math.floor(((head * maps + map) * keyHeads) / (heads * maps))
  return 2 * Math.floor((head * valueHeads) / heads) + map
}
