/**
 * Turns a plain transformer into a differential one: a trained one into one that starts by computing the same function, to be
 * fine-tuned; or an untrained one into the paper's, at equal parameters.
 *
 * `weights: 'mirrored'`: the second map's queries and keys are copies of the first's. Version 1 starts with lambda = 0: lambdaInit is 0, and the lambda vectors
 * are mirrored, so that their exponentials cancel. Version 2 starts with lambda = sigmoid(0) = 1/2, and an output projection twice as
 * large makes up for it. Differs from the paper: no per-head normalisation, which no weights could make an identity.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { layers } from '@tensorflow/tfjs-layers'
import { graft, type Method } from '@tfgraft/core'
import { type DifferentialAttention, differentialAttention } from './differential-attention'
import { type DifferentialAttentionV2, differentialAttentionV2 } from './differential-attention-v2'
import { MultiHeadAttention } from './multi-head-attention'

export interface DiffAttentionMethodOptions {
  /** Version of differential attention. @default 1 */
  version?: 1 | 2
  /**
   * `mirrored`: the new layers compute what the old ones compute. `fresh`: newly initialised layers as in the papers, of
   * version 1 with half the heads. @default 'mirrored'
   */
  weights?: 'mirrored' | 'fresh'
  /** Which attention layers to replace. @default all of them */
  when?: (layer: MultiHeadAttention) => boolean
}

type Adopting = (DifferentialAttention | DifferentialAttentionV2) & {
  adoptWeights?: (old: layers.Layer) => void
}

/** `[.., heads * width]` to `[.., heads * 2 * width]`, each head twice. */
function twice(x: tf.Tensor, heads: number): tf.Tensor {
  const outDim = x.shape[x.rank - 1]!
  const apart = tf.reshape(x, [x.size / outDim, heads, 1, outDim / heads])
  return tf.reshape(tf.concat([apart, apart], 2), [...x.shape.slice(0, -1), 2 * outDim])
}

/** Sets the weights of `layer` so that it computes what `old` computes. */
function mirrorWeights(layer: layers.Layer, old: MultiHeadAttention, version: 1 | 2): void {
  const { numHeads, numKeyValueHeads } = old.settings
  const partOf = ({ originalName }: { originalName: string }) => originalName.split('/').at(-1)!
  const theirs = new Map(old.weights.map((weight) => [partOf(weight), weight.read()]))
  const own = new Map(layer.weights.map((weight) => [partOf(weight), weight.read()]))
  tf.tidy(() => {
    const values = layer.weights.map((weight) => {
      const part = partOf(weight)
      const value = theirs.get(part)
      if (/^query_/.test(part)) return twice(value!, numHeads)
      if (/^key_/.test(part) && version === 1) return twice(value!, numKeyValueHeads)
      if (part === 'output_kernel' && version === 2) return tf.mul(value!, 2)
      if (value) return value
      if (part === 'lambda_q2' || part === 'lambda_k2') return own.get(part.replace('2', '1'))!
      if (part === 'lambda_kernel') return tf.zerosLike(own.get(part)!)
      return own.get(part)! // lambda_q1 and lambda_k1, random: at zero, their gradients would vanish
    })
    layer.setWeights(values)
  })
}

/** Width of the queries of a built layer. */
function headDimOf(layer: MultiHeadAttention): number {
  const kernel = layer.weights.find(({ originalName }) => originalName.endsWith('query_kernel'))
  if (!kernel)
    throw new Error(`diffAttentionMethod: \`model\` must be built. Received ${layer.name} without weights.`)
  return kernel.shape[1]! / layer.settings.numHeads
}

/** The paper's layer in place of `layer`, the `depth`-th that is replaced. */
function freshFrom(layer: MultiHeadAttention, version: 1 | 2, depth: number): Adopting {
  const { numHeads, numKeyValueHeads } = layer.settings
  const args = { ...layer.settings, headDim: headDimOf(layer), trainable: layer.trainable }
  if (version === 1 && (numHeads % 2 || numKeyValueHeads % 2))
    throw new Error(
      `diffAttentionMethod: fresh layers of version 1 take half of \`numHeads\` and \`numKeyValueHeads\`, which must be even. ` +
        `Received ${layer.name} with numHeads=${numHeads}, numKeyValueHeads=${numKeyValueHeads}.`,
    )
  const halved = { numHeads: numHeads / 2, numKeyValueHeads: numKeyValueHeads / 2 }
  const replacement: Adopting =
    version === 1 ? differentialAttention({ ...args, ...halved, depth }) : differentialAttentionV2(args)
  replacement.adoptWeights = () => {} // keeps its own
  return replacement
}

/** The layer that computes what `layer` computes. */
function mirroredFrom(layer: MultiHeadAttention, version: 1 | 2): Adopting {
  const headDim = headDimOf(layer)
  const args = { ...layer.settings, headDim, trainable: layer.trainable }
  const replacement: Adopting =
    version === 1
      ? differentialAttention({ ...args, valueDim: headDim, lambdaInit: 0, normalize: false })
      : differentialAttentionV2(args)
  replacement.adoptWeights = (old) => mirrorWeights(replacement, old as MultiHeadAttention, version)
  return replacement
}

/**
 * The method: replaces every {@link multiHeadAttention} of the model, those in blocks included, by a differential attention with the
 * same result, or by a new one. Optimizer, loss and step stay.
 *
 * @param options `version` 1 or 2, `weights` `'mirrored'` or `'fresh'`, `when` to choose layers.
 * @throws When an option is out of range; on `apply`, when the model has no such layer, or an odd number of heads to halve.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { defaultStep } from '@tfgraft/core'
 * import { causalLanguageModel, diffAttentionMethod, multiHeadAttention } from '@tfgraft/diff-attention'
 *
 * const attention = () => multiHeadAttention({ numHeads: 2, causal: true })
 * const model = causalLanguageModel({ vocabularySize: 7, dim: 16, numLayers: 2, attention, maxLength: 32 })
 * const loss = (y: tf.Tensor, p: tf.Tensor) => tf.losses.softmaxCrossEntropy(tf.oneHot(y.toInt(), 7), p)
 * const setup = diffAttentionMethod().apply({ model, optimizer: tf.train.adam(), loss, step: defaultStep })
 * console.log(setup.model.countParams() > model.countParams()) // true
 * ```
 */
export function diffAttentionMethod({
  version = 1,
  weights = 'mirrored',
  when = () => true,
}: DiffAttentionMethodOptions = {}): Method {
  if (version !== 1 && version !== 2)
    throw new Error(`diffAttentionMethod: \`version\` must be 1 or 2. Received version=${version}.`)
  if (weights !== 'mirrored' && weights !== 'fresh')
    throw new Error(
      `diffAttentionMethod: \`weights\` must be 'mirrored' or 'fresh'. Received weights=${weights}.`,
    )
  return {
    name: version === 1 ? 'diffAttention' : 'diffAttentionV2',
    paper: {
      title: 'Differential Transformer',
      authors: ['Ye', 'Dong', 'Xia', 'Sun', 'Zhu', 'Huang', 'Wei'],
      year: 2024,
      url: 'https://arxiv.org/abs/2410.05258',
    },
    apply: (setup) => {
      let replaced = 0
      const model = graft(setup.model, (layer) => {
        if (!(layer instanceof MultiHeadAttention) || !when(layer)) return undefined
        const depth = replaced++
        return weights === 'fresh' ? freshFrom(layer, version, depth) : mirroredFrom(layer, version)
      })
      if (!replaced)
        throw new Error(
          `diffAttentionMethod: \`model\` must have a MultiHeadAttention to replace. Received ${setup.model.name}.`,
        )
      return { ...setup, model }
    },
  }
}
