/** Weights of PyTorch implementations, by their names there, into the layers of this package. */
import * as tf from '@tensorflow/tfjs-core'
import type { layers } from '@tensorflow/tfjs-layers'
import { checkBuilt } from './layer-inputs'

/** Names in a PyTorch state dict, by the names of this package's weights. */
export type WeightNames = Readonly<Record<string, string>>

const lambdas = Object.fromEntries(
  ['lambda_q1', 'lambda_k1', 'lambda_q2', 'lambda_k2'].map((name) => [name, name]),
)
const projections = {
  query_kernel: 'q_proj.weight',
  key_kernel: 'k_proj.weight',
  value_kernel: 'v_proj.weight',
}

/**
 * Weight names of Microsoft's `MultiheadDiffAttn` and its flash variants, and of its plain `MultiheadAttention`. Use `pairing:
 * 'interleaved'`, `rotary: 'interleaved'`, `causal: true`.
 *
 * @example
 * ```ts
 * import { microsoftNames } from '@tfgraft/diff-attention'
 * console.log(microsoftNames.output_kernel) // out_proj.weight
 * ```
 */
export const microsoftNames: WeightNames = {
  ...projections,
  output_kernel: 'out_proj.weight',
  ...lambdas,
  norm_gamma: 'subln.weight',
}

/**
 * Weight names of Hugging Face's `DiffLlamaAttention`. Use `pairing: 'halves'`, `rotary: 'half-split'`, `normAffine: false`, half of its
 * `num_attention_heads` and `num_key_value_heads`.
 *
 * @example
 * ```ts
 * import { diffLlamaNames } from '@tfgraft/diff-attention'
 * console.log(diffLlamaNames.output_kernel) // o_proj.weight
 * ```
 */
export const diffLlamaNames: WeightNames = {
  ...projections,
  output_kernel: 'o_proj.weight',
  query_bias: 'q_proj.bias',
  key_bias: 'k_proj.bias',
  value_bias: 'v_proj.bias',
  output_bias: 'o_proj.bias',
  ...lambdas,
}

/** The weights of a built layer, by the last part of their names. */
const byName = (layer: layers.Layer) =>
  layer.weights.map((weight) => ({ name: weight.originalName.split('/').at(-1)!, weight }))

/**
 * Sets the weights of a built layer from PyTorch tensors, transposing linear weights, which are (out, in) there.
 *
 * @param layer A layer that was applied or built.
 * @param tensors By name, as {@link readSafetensors} returns them.
 * @param names Such as {@link microsoftNames} or {@link diffLlamaNames}.
 * @param prefix What comes before the names, such as `model.layers.0.self_attn.`. @default none
 * @throws When the layer has no weights yet, or a weight has no name, no tensor, or a tensor of another shape.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { diffLlamaNames, differentialAttention, exportWeights, importWeights } from '@tfgraft/diff-attention'
 *
 * const make = () => differentialAttention({ numHeads: 2, pairing: 'halves', rotary: 'half-split', normAffine: false })
 * const [from, to] = [make(), make()]
 * for (const layer of [from, to]) layer.build([null, null, 16])
 * importWeights(to, exportWeights(from, diffLlamaNames), diffLlamaNames)
 * ```
 */
export function importWeights(
  layer: layers.Layer,
  tensors: Record<string, tf.Tensor>,
  names: WeightNames,
  prefix = '',
): void {
  checkBuilt('importWeights', layer)
  tf.tidy(() => {
    const values = byName(layer).map(({ name, weight }) => {
      const source = names[name] && prefix + names[name]
      const tensor = source ? tensors[source] : undefined
      if (!tensor)
        throw new Error(
          `importWeights: \`tensors\` must hold ${name} of ${layer.name}. Received no ${source}.`,
        )
      const value = name.endsWith('kernel') ? tf.transpose(tensor) : tensor
      if (`${value.shape}` !== `${weight.shape}`)
        throw new Error(
          `importWeights: ${source} must have the shape of ${name}. Received [${value.shape}], expected [${weight.shape}].`,
        )
      return value
    })
    layer.setWeights(values)
  })
}

/**
 * The weights of a built layer as PyTorch has them: the inverse of {@link importWeights}.
 *
 * @returns Tensors by name, to be disposed by the caller.
 * @throws When the layer has no weights yet, or one without a name in `names`.
 * @example
 * ```ts
 * import { differentialAttention, exportWeights, microsoftNames, writeSafetensors } from '@tfgraft/diff-attention'
 *
 * const layer = differentialAttention({ numHeads: 2 })
 * layer.build([null, null, 16])
 * console.log(writeSafetensors(exportWeights(layer, microsoftNames)).length)
 * ```
 */
export function exportWeights(
  layer: layers.Layer,
  names: WeightNames,
  prefix = '',
): Record<string, tf.Tensor> {
  checkBuilt('exportWeights', layer)
  return Object.fromEntries(
    byName(layer).map(({ name, weight }) => {
      const target = names[name]
      if (!target)
        throw new Error(`exportWeights: \`names\` must name ${name} of ${layer.name}. Received none.`)
      const value = weight.read()
      return [prefix + target, name.endsWith('kernel') ? tf.transpose(value) : tf.clone(value)]
    }),
  )
}
