/**
 * tfjs's own cross entropies as one op each, only while the backend is wasm: `tf.losses.softmaxCrossEntropy`, and the losses of
 * `model.compile` by the names of 'categoricalCrossentropy' and 'sparseCategoricalCrossentropy'.
 */
import * as tf from '@tensorflow/tfjs-core'
import { LayersModel } from '@tensorflow/tfjs-layers'
import { crossEntropy } from '../ops/cross-entropy'
import { softmaxCrossEntropy } from '../ops/softmax-cross-entropy'
import { isFused } from '../training-kernels/fusion'

type Loss = (target: tf.Tensor, output: tf.Tensor) => tf.Tensor

const isCovered = (output: unknown): output is tf.Tensor =>
  isFused() && output instanceof tf.Tensor && output.dtype === 'float32' && output.rank > 1 && output.size > 0

/** What replaces a loss that is known by name, where it covers the arguments. */
const lossesByName: Record<string, (stock: Loss) => Loss> = {
  categoricalCrossentropy: (stock) => (target, output) =>
    isCovered(output) && tf.util.arraysEqual(target.shape, output.shape)
      ? tf.tidy(() => crossEntropy({ p: output, labels: tf.cast(target, 'float32') }))
      : stock(target, output),
  sparseCategoricalCrossentropy: (stock) => (target, output) => {
    const shape = output.shape.slice(0, -1)
    if (!isCovered(output) || target.size !== tf.util.sizeFromShape(shape)) return stock(target, output)
    return tf.tidy(() => {
      const classes = target.dtype === 'int32' ? target : tf.cast(tf.floor(target), 'int32')
      return crossEntropy({ p: output, classes: tf.reshape(classes, shape) })
    })
  },
}

type SoftmaxCrossEntropy = typeof tf.losses.softmaxCrossEntropy

function fuseSoftmaxCrossEntropy(stock: SoftmaxCrossEntropy): SoftmaxCrossEntropy {
  return ((labels, logits, weights, labelSmoothing = 0, reduction) => {
    if (
      !isCovered(logits) ||
      !(labels instanceof tf.Tensor) ||
      !tf.util.arraysEqual(labels.shape, logits.shape)
    )
      return stock(labels, logits, weights, labelSmoothing, reduction)
    return tf.tidy(() => {
      const smoothed =
        labelSmoothing > 0
          ? tf.add(tf.mul(labels, 1 - labelSmoothing), labelSmoothing / logits.shape[1]!)
          : tf.cast(labels, 'float32')
      return tf.losses.computeWeightedLoss(softmaxCrossEntropy(smoothed, logits), weights, reduction)
    })
  }) as SoftmaxCrossEntropy
}

/** What we use of a model: its losses, one per output, and what `compile` was given. */
interface Compiled {
  loss: string | string[] | Record<string, string>
  lossFunctions: Loss[]
  outputNames: string[]
}

function nameOfLoss({ loss, outputNames }: Compiled, i: number): unknown {
  if (typeof loss === 'string') return loss
  return Array.isArray(loss) ? loss[i] : loss[outputNames[i]!]
}

let fused = false

/** Makes tfjs's softmax cross entropies run as one op on wasm. */
export function fuseLosses(): void {
  if (fused) return
  fused = true
  tf.losses.softmaxCrossEntropy = fuseSoftmaxCrossEntropy(tf.losses.softmaxCrossEntropy)
  const compile = LayersModel.prototype.compile
  LayersModel.prototype.compile = function (args) {
    compile.call(this, args)
    const model = this as unknown as Compiled
    model.lossFunctions = model.lossFunctions.map((stock, i) => {
      const replacement = lossesByName[nameOfLoss(model, i) as string]
      return replacement ? replacement(stock) : stock
    })
  }
}
