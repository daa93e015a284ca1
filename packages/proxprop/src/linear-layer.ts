/** How a layer that is linear in its weights is described to this package. */
import type * as tf from '@tensorflow/tfjs-core'
import type { layers } from '@tensorflow/tfjs-layers'

/** A layer that is linear in its weights, described. `Config` is what the stock layer takes. */
export interface LinearLayer<Config extends object> {
  /** Name for serialization, unique among all tfjs classes. */
  className: string
  /** Makes the stock layer that owns the weights; it gets no activation. */
  layer: (config: Config) => layers.Layer
  /** The linear output, for any values of the weights, which come in the stock layer's order. */
  map: (x: tf.Tensor, weights: tf.Tensor[], config: Config) => tf.Tensor
  /** The gradient of <map(x, weights), dz> with regard to the weights. @default tfjs differentiates `map` */
  adjoint?: (x: tf.Tensor, dz: tf.Tensor, weights: tf.Tensor[], config: Config) => tf.Tensor[]
  /**
   * The matrix A [rows, d] with map = A K + b, for a kernel K flattened to [d, outputs]. With it, the layer can be
   * solved exactly.
   */
  rows?: (x: tf.Tensor, config: Config) => tf.Tensor2D
  /**
   * A'A [d, d] and A's column sums [d], where they can be had for less than the product of `rows`: CG and the exact
   * solver then use them when that is cheaper than `map` and `adjoint`.
   */
  gram?: {
    sums: (x: tf.Tensor, config: Config) => [gram: tf.Tensor2D, sums: tf.Tensor1D]
    /** Multiplications per row of A; a product with A costs d times outputs. */
    cost: (x: tf.Tensor, config: Config) => number
  }
  /** Runs CG on `rows`, with one system per output unit. @default false: one system, from `map` and `adjoint` */
  blockCg?: boolean
}
