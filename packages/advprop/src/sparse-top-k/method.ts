/** SparseTopK as a method: inserts the layer after chosen layers of any model. */
import type * as tfl from '@tensorflow/tfjs-layers'
import { graft, type Method, type Paper } from '@tfgraft/core'
import { SparseTopK, type SparseTopKArgs } from './sparse-top-k'

export interface SparseTopKOptions extends Omit<SparseTopKArgs, 'name'> {
  /** Which layers' outputs become sparse: names, or a test of each layer (nested models' layers included). */
  after: string | readonly string[] | ((layer: tfl.layers.Layer) => boolean)
}

const paper: Paper = {
  title: 'Emergence of Shape Bias in Convolutional Neural Networks through Activation Sparsity',
  authors: ['Li', 'Wen', 'Li', 'Lee'],
  year: 2023,
  url: 'https://arxiv.org/abs/2310.18894',
}

/**
 * The method: every layer that `after` names is followed by a {@link SparseTopK}. Weights, optimizer, loss and step
 * stay. It can be trained with, as in the paper's ResNet-18, or put into a trained model, as in its inference study.
 *
 * @throws Error when an option is invalid (see {@link sparseTopKLayer}), or no layer of the model fits `after`.
 *
 * Paper: Li et al., arXiv 2310.18894, sections 4 and 5 (k = 0.05 to 0.5; 0.2 after the second stage of a ResNet-18).
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import * as tfl from '@tensorflow/tfjs-layers'
 * import { sparseTopK } from '@tfgraft/advprop'
 * import { defaultStep } from '@tfgraft/core'
 *
 * const model = tfl.sequential({
 *   layers: [
 *     tfl.layers.conv2d({ filters: 4, kernelSize: 3, inputShape: [8, 8, 1], name: 'stem' }),
 *     tfl.layers.globalAveragePooling2d({}),
 *     tfl.layers.dense({ units: 2, activation: 'softmax' }),
 *   ],
 * })
 * const baseline = { model, optimizer: tf.train.adam(), loss: tfl.metrics.categoricalCrossentropy, step: defaultStep }
 * const setup = sparseTopK({ k: 0.2, after: 'stem' }).apply(baseline)
 * console.log(setup.model.layers.map((layer) => layer.name))
 * ```
 */
export function sparseTopK({ after, ...args }: SparseTopKOptions): Method {
  new SparseTopK(args) // rejects bad arguments before there is a model
  const names = typeof after === 'function' ? undefined : [after].flat()
  const chosen =
    typeof after === 'function' ? after : (layer: tfl.layers.Layer) => names!.includes(layer.name)
  return {
    name: 'sparseTopK',
    paper,
    apply: (setup) => {
      const found = new Set<string>()
      const seen: string[] = []
      const model = graft(setup.model, (layer) => {
        seen.push(layer.name)
        if (!chosen(layer)) return undefined
        found.add(layer.name)
        return [layer, new SparseTopK({ ...args, name: `${layer.name}_sparse_top_k` })]
      })
      const missing = names?.filter((name) => !found.has(name)) ?? []
      if (found.size === 0 || missing.length)
        throw new Error(
          `sparseTopK: \`after\` must fit layers of the model. Received after=${missing.length ? missing : 'a function that fits none'}; ` +
            `the model has ${seen.join(', ')}.`,
        )
      return { ...setup, model }
    },
  }
}
