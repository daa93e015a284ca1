/** AdvProp as a method: auxiliary batch normalisation in the model, adversarial examples in the step. */
import { defaultStep, type Method, type Paper } from '@tfgraft/core'
import { adversarialStep } from './adversarial-step'
import { gradientReuseStep } from './gradient-reuse-step'
import { type AdvPropOptions, resolveOptions } from './options'
import { swapBatchNormalization } from './swap-batch-normalization'

const paper: Paper = {
  title: 'Adversarial Examples Improve Image Recognition',
  authors: ['Xie', 'Tan', 'Gong', 'Wang', 'Yuille', 'Le'],
  year: 2020,
  url: 'https://arxiv.org/abs/1911.09665',
}

/**
 * The method: every BatchNormalization of the model gets auxiliary statistics, and every step trains on the batch and
 * on adversarial examples made from it, in one concatenated pass, each with its own statistics:
 * L = (1 - w) L(x, main) + w L(x_adv, auxiliary). Evaluation uses the main statistics, as of any model.
 *
 * The setup's own step does the training: it sees a bigger batch and a weighed loss. Images must be within the attack's
 * `bounds`, 0..1 by default. {@link dropAuxiliary} makes the trained model an ordinary one.
 *
 * @throws Error when an option is invalid; when the model has no BatchNormalization and `auxiliary` is not `'none'`;
 *   when `gradientReuse` meets a step that is not the default one.
 *
 * Papers: Xie et al., arXiv 1911.09665, section 4 and algorithm 1; with `gradientReuse`, Mei et al., "Fast AdvProp",
 * arXiv 2204.09838, section 3.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import * as tfl from '@tensorflow/tfjs-layers'
 * import { advprop, dropAuxiliary } from '@tfgraft/advprop'
 * import { defaultStep } from '@tfgraft/core'
 *
 * const model = tfl.sequential({
 *   layers: [
 *     tfl.layers.flatten({ inputShape: [4, 4, 1] }),
 *     tfl.layers.dense({ units: 8 }),
 *     tfl.layers.batchNormalization(),
 *     tfl.layers.dense({ units: 2, activation: 'softmax' }),
 *   ],
 * })
 * const baseline = { model, optimizer: tf.train.adam(), loss: tfl.metrics.categoricalCrossentropy, step: defaultStep }
 * const setup = advprop({ attack: { epsilon: 4 / 255, iterations: 1 } }).apply(baseline)
 *
 * const batch = { xs: tf.randomUniform([6, 4, 4, 1]), ys: tf.oneHot([0, 1, 0, 1, 0, 1], 2) }
 * setup.step(setup, batch, { epoch: 0, step: 0, seed: 1 })
 * const trained = dropAuxiliary(setup.model)
 * ```
 */
export function advprop(options: AdvPropOptions = {}): Method {
  const resolved = resolveOptions(options)
  return {
    name: resolved.gradientReuse ? 'fastAdvProp' : 'advprop',
    paper,
    apply: (setup) => {
      if (resolved.gradientReuse && setup.step !== defaultStep)
        throw new Error(
          'advprop: `gradientReuse` replaces the training step, which must be the default one. ' +
            'Received a setup whose step is another; apply advprop before the method that changes it.',
        )
      return {
        ...setup,
        model: swapBatchNormalization(setup.model, resolved),
        step: resolved.gradientReuse ? gradientReuseStep(resolved) : adversarialStep(setup.step, resolved),
      }
    },
  }
}
