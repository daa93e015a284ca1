/**
 * ProxDense: tfjs's Dense with a proximal step in the place of the weights' gradient.
 *
 * Paper: Frerix, Moellenhoff, Moeller, Cremers, "Proximal Backpropagation", ICLR 2018, arXiv 1706.04638.
 */
import * as tf from '@tensorflow/tfjs-core'
import { layers } from '@tensorflow/tfjs-layers'
import type { ProximalOptions } from './options'
import { type ProximalLayer, type ProximalLayerClass, proximalLayer } from './proximal-layer'

/** What tfjs's dense layer takes. */
export type DenseConfig = Parameters<typeof layers.dense>[0]

/** All but the last dimension are rows. */
const rows = (x: tf.Tensor) => tf.reshape(x, [-1, x.shape.at(-1)!]) as tf.Tensor2D

/**
 * The class behind {@link proxDense}, for `tf.loadLayersModel` and `instanceof`.
 *
 * @example
 * ```ts
 * import { ProxDense } from '@tfgraft/proxprop'
 *
 * const layer = new ProxDense({ units: 2, tau: 1 })
 * console.log(layer.getClassName()) // ProxDense
 * ```
 */
export const ProxDense: ProximalLayerClass<DenseConfig> = proximalLayer<DenseConfig>({
  className: 'ProxDense',
  layer: ({ ...config }) => layers.dense(config),
  map: (x, [kernel, bias]) => {
    const z = tf.matMul(rows(x), kernel as tf.Tensor2D)
    return tf.reshape(bias ? tf.add(z, bias) : z, [...x.shape.slice(0, -1), kernel!.shape[1]!])
  },
  rows,
  blockCg: true,
})

/** An instance of the class {@link ProxDense}. */
export type ProxDense = ProximalLayer

/**
 * A dense layer with proximal steps: same function, weights and config as `tf.layers.dense`, another update.
 *
 * @param config The config of tfjs's dense layer, and {@link ProximalOptions}.
 * @throws Error for options that break a rule.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { layers, sequential } from '@tensorflow/tfjs-layers'
 * import { useBackend } from '@tfgraft/backends'
 * import { proxDense } from '@tfgraft/proxprop'
 *
 * await useBackend('wasm')
 * const model = sequential({
 *   layers: [
 *     proxDense({ units: 16, activation: 'relu', inputShape: [4], tau: 0.05 }),
 *     layers.dense({ units: 3, activation: 'softmax' }),
 *   ],
 * })
 * model.compile({ optimizer: tf.train.sgd(1), loss: 'categoricalCrossentropy' })
 * const labels = tf.oneHot([0, 1, 2, 0, 1, 2, 0, 1], 3)
 * await model.fit(tf.randomNormal([8, 4]), labels, { epochs: 1, verbose: 0 })
 * ```
 */
export const proxDense = (config: DenseConfig & ProximalOptions): ProxDense => new ProxDense(config)

tf.serialization.registerClass(ProxDense, '@tfgraft/proxprop')
