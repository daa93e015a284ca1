/**
 * tfjs's own batch normalisation (while training) and layer normalisation with the arithmetic in one op. Weights,
 * configuration, saving and loading stay as they are: only `call` changes, only while the backend is wasm, and only for the last
 * axis.
 */
import * as tf from '@tensorflow/tfjs-core'
import { batchNormTraining } from '../ops/batch-norm-training'
import { layerNorm } from '../ops/layer-norm'
import { isFused } from '../training-kernels/fusion'

interface Weight {
  read(): tf.Tensor
  write(value: tf.Tensor): unknown
}

/** What we use of tfjs's layers. `gamma` and `beta` are absent without `scale` and `center`. */
interface BatchNormalization {
  axis: number
  momentum: number
  epsilon: number
  gamma?: Weight
  beta?: Weight
  movingMean: Weight
  movingVariance: Weight
}

interface LayerNormalization {
  /** Not negative once the layer is built. */
  axis: number[]
  epsilon: number
  gamma?: Weight
  beta?: Weight
}

interface CallOptions {
  training?: boolean
}

type Inputs = tf.Tensor | tf.Tensor[]

const isLast = (axis: number, x: tf.Tensor) => axis === -1 || axis === x.rank - 1

function moveTowards(average: Weight, value: tf.Tensor, momentum: number): void {
  const before = average.read()
  average.write(tf.sub(before, tf.mul(tf.sub(before, value), 1 - momentum)))
}

function callBatchNormalization(layer: BatchNormalization, x: tf.Tensor): tf.Tensor {
  const { epsilon, momentum, gamma, beta, movingMean, movingVariance } = layer
  const weights = { ...(gamma ? { scale: gamma.read() } : {}), ...(beta ? { offset: beta.read() } : {}) }
  const [y, mean, variance] = batchNormTraining({ x, ...weights }, { epsilon })
  moveTowards(movingMean, mean, momentum)
  moveTowards(movingVariance, variance, momentum)
  return y
}

type Call<Layer> = (this: Layer, inputs: Inputs, options?: CallOptions) => unknown

/** Replaces a layer's `call` where `isCovered` and the backend is wasm. */
function replaceCall<Layer>(
  className: string,
  isCovered: (layer: Layer, x: tf.Tensor, options: CallOptions) => boolean,
  call: (layer: Layer, x: tf.Tensor) => tf.Tensor,
): void {
  const [layer] = tf.serialization.SerializationMap.getMap().classNameMap[className]!
  const prototype = layer.prototype as unknown as { call: Call<Layer> }
  const stock = prototype.call
  prototype.call = function (inputs, options = {}) {
    const x = Array.isArray(inputs) ? inputs[0]! : inputs
    if (!isFused() || x.dtype !== 'float32' || x.size === 0 || !isCovered(this, x, options))
      return stock.call(this, inputs, options)
    return tf.tidy(() => call(this, x))
  }
}

let isInstalled = false

/** Makes `tf.layers.batchNormalization` and `tf.layers.layerNormalization` run as one op on wasm. */
export function fuseNormalization(): void {
  if (isInstalled) return
  isInstalled = true
  replaceCall<BatchNormalization>(
    'BatchNormalization',
    ({ axis }, x, { training }) => training === true && x.rank > 1 && isLast(axis, x),
    callBatchNormalization,
  )
  replaceCall<LayerNormalization>(
    'LayerNormalization',
    ({ axis }, x) => axis.length === 1 && isLast(axis[0]!, x),
    ({ gamma, beta, epsilon }, x) => layerNorm(x, gamma?.read(), beta?.read(), epsilon),
  )
}
