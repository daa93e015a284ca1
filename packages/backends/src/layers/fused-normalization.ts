/**
 * tfjs's own batch normalisation (while training) and layer normalisation with the arithmetic in one op. Weights,
 * configuration, saving and loading stay as they are: only `call` changes, only while the backend is wasm, and only for the last
 * axis.
 */
import * as tf from '@tensorflow/tfjs-core'
import { batchNormTraining } from '../ops/batch-norm-training'
import { layerNorm } from '../ops/layer-norm'
import { isFused } from '../training-kernels/fusion'
import { prototypeOf, replaceCall } from './replace-call'

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

const isFloats = (x: tf.Tensor) => x.dtype === 'float32' && x.size > 0

/** Makes `tf.layers.batchNormalization` and `tf.layers.layerNormalization` run as one op on wasm. */
export function fuseNormalization(): void {
  replaceCall<BatchNormalization>(prototypeOf('BatchNormalization'), {
    isCovered: ({ axis }, x, { training }) =>
      isFused() && isFloats(x) && training === true && x.rank > 1 && isLast(axis, x),
    call: callBatchNormalization,
  })
  replaceCall<LayerNormalization>(prototypeOf('LayerNormalization'), {
    isCovered: ({ axis }, x) => isFused() && isFloats(x) && axis.length === 1 && isLast(axis[0]!, x),
    call: ({ gamma, beta, epsilon }, x) => layerNorm(x, gamma?.read(), beta?.read(), epsilon),
  })
}
