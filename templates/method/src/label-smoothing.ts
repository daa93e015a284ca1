/**
 * Label smoothing: trains towards labels that leave some probability to every class.
 *
 *     y' = (1 - epsilon) y + epsilon / K          for K classes (section 7)
 *
 * Paper: Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the Inception Architecture for Computer Vision",
 * CVPR 2016, arXiv 1512.00567.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { LossFunction, Method } from '@tfgraft/core'

export interface LabelSmoothingOptions {
  /** Probability moved from the label to the uniform distribution, in [0, 1). @default 0.1 */
  epsilon?: number
}

/** The equation alone. `labels` are distributions over the last axis: [..., classes]. */
export function smoothLabels(labels: tf.Tensor, epsilon: number): tf.Tensor {
  const classes = labels.shape.at(-1)!
  return tf.tidy(() => tf.add(tf.mul(labels, 1 - epsilon), epsilon / classes))
}

/**
 * The method: wraps every loss of the setup, leaves model, optimizer and step alone.
 *
 * @throws Error when `epsilon` is outside [0, 1).
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import * as tfl from '@tensorflow/tfjs-layers'
 * import { defaultStep, fit } from '@tfgraft/core'
 * import { labelSmoothing } from '@tfgraft/template-method'
 *
 * const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 2, inputShape: [3], activation: 'softmax' })] })
 * const baseline = { model, optimizer: tf.train.sgd(0.1), loss: tfl.metrics.categoricalCrossentropy, step: defaultStep }
 * const setup = labelSmoothing({ epsilon: 0.2 }).apply(baseline)
 * await fit(setup, { xs: tf.ones([4, 3]), ys: tf.oneHot([0, 1, 0, 1], 2) }, { epochs: 1 })
 * ```
 */
export function labelSmoothing({ epsilon = 0.1 }: LabelSmoothingOptions = {}): Method {
  if (!(epsilon >= 0 && epsilon < 1))
    throw new Error(`labelSmoothing: \`epsilon\` must be in [0, 1). Received epsilon=${epsilon}.`)
  const smoothed =
    (loss: LossFunction): LossFunction =>
    (labels, predictions) =>
      loss(smoothLabels(labels, epsilon), predictions)
  return {
    name: 'labelSmoothing',
    paper: {
      title: 'Rethinking the Inception Architecture for Computer Vision',
      authors: ['Szegedy', 'Vanhoucke', 'Ioffe', 'Shlens', 'Wojna'],
      year: 2016,
      url: 'https://arxiv.org/abs/1512.00567',
    },
    apply: (setup) => ({
      ...setup,
      loss: Array.isArray(setup.loss) ? setup.loss.map(smoothed) : smoothed(setup.loss),
    }),
  }
}
