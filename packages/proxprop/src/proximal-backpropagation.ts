/**
 * Proximal backpropagation as a practical course teaches it: a multilayer perceptron of sigmoids trained with one
 * step size, every layer included, the last one too.
 *
 * With f_l = g_{l-1} W_l + b_l, g_l = sigmoid(f_l), examples in rows, and the loss L = 1/2 |g_L - y|^2:
 *
 *     b_l+  = b_l - eta mean over the batch of dL/df_l
 *     g_L*  = g_L - eta (g_L - y)
 *     f_l*  = f_l - g_l (1 - g_l) (g_l - g_l*)
 *     g_l*  = g_l - (f_{l+1} - f_{l+1}*) W_{l+1}'          with the old weights
 *     W_l+  = argmin_W 1/2 |g_{l-1} W + b_l+ - f_l*|^2 + 1/(2 eta) |W - W_l|^2
 *
 * Solved for the update W_l - W_l+, on the smaller side. It is the paper's method up to the biases, which move first
 * and enter the target, the last layer, which is proximal as well, and eta, which is learning rate and tau in one.
 */
import * as tf from '@tensorflow/tfjs-core'
import { proximalStep } from './proximal-step'

/** Weights of a perceptron, layer by layer. */
export interface SigmoidNetwork {
  /** [inputs, units] each */
  weights: tf.Tensor2D[]
  /** [units] each */
  biases: tf.Tensor1D[]
}

export interface ProximalBackpropagationOptions {
  /** Step size of everything, above 0. @default 3 */
  eta?: number
  /** Whether the first term of the proximal problem is summed over the batch or averaged. @default 'sum' */
  dataTerm?: 'sum' | 'mean'
}

/** The updated network, and what the update came from, layer by layer. Dispose it with `tf.dispose`. */
export type ProximalBackpropagation = {
  weights: tf.Tensor2D[]
  biases: tf.Tensor1D[]
  /** Linear outputs and activations before the step, [n, units] each. */
  f: tf.Tensor2D[]
  g: tf.Tensor2D[]
  /** Their targets, [n, units] each. */
  fTarget: tf.Tensor2D[]
  gTarget: tf.Tensor2D[]
}

const forwardLayer = (input: tf.Tensor2D, weights: tf.Tensor2D, bias: tf.Tensor1D) =>
  tf.add(tf.matMul(input, weights), bias) as tf.Tensor2D

/**
 * One step on one batch. The given network is left as it is.
 *
 * @param network Weights [inputs, units] and biases [units] per layer.
 * @param x Examples, [n, inputs of the first layer].
 * @param y Labels in 0..1, [n, units of the last layer].
 * @throws Error when shapes do not agree or `eta` is not above 0.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { useBackend } from '@tfgraft/backends'
 * import { proximalBackpropagation, type SigmoidNetwork } from '@tfgraft/proxprop'
 *
 * await useBackend('wasm')
 * const layer = (inputs: number, units: number) => tf.randomNormal([inputs, units]) as tf.Tensor2D
 * const network: SigmoidNetwork = { weights: [layer(4, 3), layer(3, 2)], biases: [tf.zeros([3]), tf.zeros([2])] }
 * const { weights, biases } = proximalBackpropagation(network, layer(8, 4), tf.ones([8, 2]), { eta: 0.5 })
 * console.log(weights[0].shape, biases[1].shape) // [4, 3], [2]
 * ```
 */
export function proximalBackpropagation(
  network: SigmoidNetwork,
  x: tf.Tensor2D,
  y: tf.Tensor2D,
  { eta = 3, dataTerm = 'sum' }: ProximalBackpropagationOptions = {},
): ProximalBackpropagation {
  const { weights, biases } = network
  check(network, x, y, eta, dataTerm)
  const rows = x.shape[0]
  return tf.tidy(() => {
    const f: tf.Tensor2D[] = []
    const g: tf.Tensor2D[] = []
    weights.forEach((kernel, l) => {
      f.push(forwardLayer(g[l - 1] ?? x, kernel, biases[l]!))
      g.push(tf.sigmoid(f[l]!))
    })
    const result: ProximalBackpropagation = { weights: [], biases: [], f, g, fTarget: [], gTarget: [] }
    let pull = tf.mul(tf.sub(g.at(-1)!, y), eta) // g_l - g_l* = eta dL/dg_l
    for (let l = weights.length - 1; l >= 0; l--) {
      const activation = g[l]!
      const step = tf.mul(tf.mul(activation, tf.sub(1, activation)), pull) as tf.Tensor2D // f_l - f_l* = eta dL/df_l
      const biasStep = tf.mean(step, 0)
      // What the linear output exceeds its target by once the bias has moved.
      const excess = tf.sub(step, biasStep) as tf.Tensor2D
      const tau = dataTerm === 'sum' ? eta : eta / rows
      const { kernel } = proximalStep(g[l - 1] ?? x, excess, { tau, bias: 'none' })
      result.weights.unshift(tf.sub(weights[l]!, kernel))
      result.biases.unshift(tf.sub(biases[l]!, biasStep) as tf.Tensor1D)
      result.fTarget.unshift(tf.sub(f[l]!, step) as tf.Tensor2D)
      result.gTarget.unshift(tf.sub(activation, pull) as tf.Tensor2D)
      pull = tf.matMul(step, weights[l]!, false, true)
    }
    return result
  })
}

function check(
  { weights, biases }: SigmoidNetwork,
  x: tf.Tensor2D,
  y: tf.Tensor2D,
  eta: number,
  dataTerm: string,
): void {
  if (!(eta > 0 && Number.isFinite(eta)))
    throw new Error(`proximalBackpropagation: \`eta\` must be a finite number above 0. Received eta=${eta}.`)
  if (dataTerm !== 'sum' && dataTerm !== 'mean')
    throw new Error(
      `proximalBackpropagation: \`dataTerm\` must be 'sum' or 'mean'. Received dataTerm=${dataTerm}.`,
    )
  const sizes = [x.shape[1], ...weights.map(({ shape }) => shape[1])]
  const agree =
    weights.length > 0 &&
    biases.length === weights.length &&
    weights.every(({ shape }, l) => shape[0] === sizes[l] && biases[l]!.shape[0] === shape[1]) &&
    `${y.shape}` === `${[x.shape[0], sizes.at(-1)]}`
  if (!agree)
    throw new Error(
      'proximalBackpropagation: each layer must take the outputs of the one before, and `y` be [n, last units]. ' +
        `Received weights ${weights.map(({ shape }) => `[${shape}]`).join(' ')}, ` +
        `biases ${biases.map(({ shape }) => `[${shape}]`).join(' ')}, x=[${x.shape}], y=[${y.shape}].`,
    )
}
