/**
 * ProxConv2D: tfjs's Conv2D with a proximal step in the place of the weights' gradient.
 *
 * Paper: Frerix, Moellenhoff, Moeller, Cremers, "Proximal Backpropagation", ICLR 2018, arXiv 1706.04638, section 4.2.
 *
 * Differs from the reference: it has an exact mode (on the matrix of patches), works without bias, and its CG is the
 * textbook's. CG solves one system over kernel and bias, as there. Images are NHWC.
 */
import * as tf from '@tensorflow/tfjs-core'
import { layers } from '@tensorflow/tfjs-layers'
import type { ProximalOptions } from './options'
import { patchGramCost, patchGramOp } from './patch-gram/op'
import { type ConvGeometry, patches } from './patches'
import { type ProximalLayer, type ProximalLayerClass, proximalLayer } from './proximal-layer'
import { isRecording } from './record-use'

/** What tfjs's conv2d layer takes. */
export type Conv2DConfig = Parameters<typeof layers.conv2d>[0]

const pair = (value: number | number[] | undefined): [number, number] =>
  Array.isArray(value) ? [value[0]!, value[1]!] : [value ?? 1, value ?? 1]

function geometryOf({ kernelSize, strides, padding = 'valid', dilationRate }: Conv2DConfig): ConvGeometry {
  return {
    kernelSize: pair(kernelSize),
    strides: pair(strides),
    padding: padding as 'same' | 'valid',
    dilationRate: pair(dilationRate as number | number[] | undefined),
  }
}

function convolve(x: tf.Tensor4D, kernel: tf.Tensor4D, config: Conv2DConfig): tf.Tensor {
  const geometry = geometryOf(config)
  const { strides, padding, dilationRate } = geometry
  const dilated = Math.max(...dilationRate) > 1
  // tfjs cannot differentiate a dilated convolution, but the product that it is.
  if (!dilated || !isRecording()) return tf.conv2d(x, kernel, strides, padding, 'NHWC', dilationRate)
  const [kh, kw, , filters] = kernel.shape
  const product = tf.matMul(patches(x, geometry), tf.reshape(kernel, [-1, filters]) as tf.Tensor2D)
  const shrink = (size: number, k: number, d: number) => (padding === 'same' ? size : size - (k - 1) * d)
  const [n, height, width] = x.shape
  return tf.reshape(product, [
    n,
    shrink(height, kh, dilationRate[0]),
    shrink(width, kw, dilationRate[1]),
    filters,
  ])
}

/** The gradient of a convolution with regard to its kernel. */
function correlate(
  x: tf.Tensor4D,
  dz: tf.Tensor4D,
  shape: tf.Tensor4D['shape'],
  config: Conv2DConfig,
): tf.Tensor {
  const geometry = geometryOf(config)
  if (Math.max(...geometry.dilationRate) > 1) {
    const rows = tf.reshape(dz, [-1, shape[3]]) as tf.Tensor2D
    return tf.reshape(tf.matMul(patches(x, geometry), rows, true), shape)
  }
  const attrs = {
    strides: geometry.strides,
    pad: geometry.padding,
    dataFormat: 'NHWC',
    dimRoundingMode: undefined,
    filterShape: shape,
  }
  return tf
    .engine()
    .runKernel(tf.Conv2DBackpropFilter, { x, dy: dz }, attrs as unknown as tf.NamedAttrMap) as tf.Tensor
}

/**
 * The class behind {@link proxConv2d}, for `tf.loadLayersModel` and `instanceof`.
 *
 * @example
 * ```ts
 * import { ProxConv2D } from '@tfgraft/proxprop'
 *
 * const layer = new ProxConv2D({ filters: 4, kernelSize: 3, solver: 'exact' })
 * console.log(layer.getClassName()) // ProxConv2D
 * ```
 */
export const ProxConv2D: ProximalLayerClass<Conv2DConfig> = proximalLayer<Conv2DConfig>({
  className: 'ProxConv2D',
  layer: (config) => {
    if (config.dataFormat === 'channelsFirst')
      throw new Error("ProxConv2D: `dataFormat` must be 'channelsLast'. Received dataFormat=channelsFirst.")
    return layers.conv2d(config)
  },
  map: (x, [kernel, bias], config) => {
    const z = convolve(x as tf.Tensor4D, kernel as tf.Tensor4D, config)
    return bias ? tf.add(z, bias) : z
  },
  adjoint: (x, dz, [kernel, bias], config) => {
    const shape = kernel!.shape as tf.Tensor4D['shape']
    const dKernel = correlate(x as tf.Tensor4D, dz as tf.Tensor4D, shape, config)
    return bias ? [dKernel, tf.sum(tf.reshape(dz, [-1, shape[3]]), 0)] : [dKernel]
  },
  rows: (x, config) => patches(x as tf.Tensor4D, geometryOf(config)),
  gram: {
    sums: (x, config) => patchGramOp({ x: x as tf.Tensor4D }, geometryOf(config)),
    cost: (x, config) => patchGramCost(geometryOf(config), x.shape[3]!),
  },
})

/** An instance of the class {@link ProxConv2D}. */
export type ProxConv2D = ProximalLayer

/**
 * A 2-D convolution with proximal steps: same function, weights and config as `tf.layers.conv2d`, another update.
 *
 * `solver: 'exact'` solves for kernelHeight kernelWidth channels (+ 1) unknowns per filter, on a matrix with one row
 * per output position: meant for small kernels and for holding CG against.
 *
 * @param config The config of tfjs's conv2d layer with channelsLast images, and {@link ProximalOptions}.
 * @throws Error for options that break a rule.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { layers, sequential } from '@tensorflow/tfjs-layers'
 * import { useBackend } from '@tfgraft/backends'
 * import { proxConv2d } from '@tfgraft/proxprop'
 *
 * await useBackend('wasm')
 * const convolution = proxConv2d({ filters: 4, kernelSize: 3, inputShape: [8, 8, 1], tau: 1, solver: { cg: 3 } })
 * const model = sequential({ layers: [convolution, layers.flatten(), layers.dense({ units: 1 })] })
 * model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
 * await model.fit(tf.randomNormal([4, 8, 8, 1]), tf.ones([4, 1]), { epochs: 1, verbose: 0 })
 * ```
 */
export const proxConv2d = (config: Conv2DConfig & ProximalOptions): ProxConv2D => new ProxConv2D(config)

tf.serialization.registerClass(ProxConv2D, '@tfgraft/proxprop')
