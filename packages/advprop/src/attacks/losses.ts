/**
 * What attacks maximise: one value per example, from logits z `[batch, classes]` and one-hot labels.
 *
 *     cross entropy   -log softmax(z)_y
 *     margin          max_{i != y} z_i - z_y                                        > 0 where misclassified
 *     DLR             -(z_y - max_{i != y} z_i) / (z_(1) - z_(3))                    Croce & Hein 2020, eq. 6
 *     targeted DLR    -(z_y - z_t) / (z_(1) - (z_(3) + z_(4)) / 2)                    eq. 7
 *
 * z_(k) is the k-th largest logit. The two DLR losses do not change when logits are shifted or scaled.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { LossFunction } from '@tfgraft/core'
import { checkClasses } from './check-batch'
import { type Classifier, oneHotLabels } from './target'

/** A loss by name, or a function of labels and the target's raw outputs, as given. */
export type AttackLoss = 'crossEntropy' | 'dlr' | 'margin' | LossFunction

// Keeps the ratio finite when the top three logits are equal.
const RATIO_EPSILON = 1e-12
// Takes the label's own logit out of a maximum.
const OUT_OF_REACH = 1e9

export function crossEntropy(logits: tf.Tensor2D, oneHot: tf.Tensor2D): tf.Tensor1D {
  return tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), oneHot), 1)) as tf.Tensor1D
}

export function margin(logits: tf.Tensor2D, oneHot: tf.Tensor2D): tf.Tensor1D {
  const others = tf.max(tf.sub(logits, tf.mul(oneHot, OUT_OF_REACH)), 1)
  return tf.sub(others, tf.sum(tf.mul(logits, oneHot), 1)) as tf.Tensor1D
}

/** Rows of ones at the k-th largest entries, for each `ranks` (from 1): the order itself has no gradient. */
function atRanks(z: tf.Tensor2D, ranks: number[]): tf.Tensor2D[] {
  const { indices } = tf.topk(z, Math.max(...ranks))
  return ranks.map((rank) =>
    oneHotLabels(tf.squeeze(tf.slice(indices, [0, rank - 1], [-1, 1]), [1]), z.shape[1]),
  )
}

/**
 * -(z . a) / (z . b + epsilon), where the masks a and b depend on the order of z alone and so count as constants.
 * The order (topk) has no gradient in tfjs, so the ratio's is written out.
 */
function ratioLoss(
  logits: tf.Tensor2D,
  masks: (z: tf.Tensor2D) => { numerator: tf.Tensor2D; denominator: tf.Tensor2D },
): tf.Tensor1D {
  const op = tf.customGrad((...args) => {
    const [z, save] = args as [tf.Tensor2D, tf.GradSaveFunc]
    const { numerator, denominator } = masks(z)
    const top = tf.sum(tf.mul(z, numerator), 1, true)
    const bottom = tf.add(tf.sum(tf.mul(z, denominator), 1, true), RATIO_EPSILON)
    // d(-top / bottom)/dz = (top / bottom * denominator - numerator) / bottom
    const ratio = tf.div(top, bottom)
    save([tf.div(tf.sub(tf.mul(ratio, denominator), numerator), bottom)])
    return {
      value: tf.neg(tf.squeeze(ratio, [1])),
      gradFunc: (dy: tf.Tensor, [slope]: tf.Tensor[]) => tf.mul(tf.expandDims(dy, 1), slope!),
    }
  })
  return op(logits) as tf.Tensor1D
}

export function dlr(logits: tf.Tensor2D, oneHot: tf.Tensor2D): tf.Tensor1D {
  if (logits.shape[1] < 3)
    throw new Error(`dlr: needs at least 3 classes. Received classes=${logits.shape[1]}.`)
  return ratioLoss(logits, (z) => {
    const [first, third] = atRanks(z, [1, 3])
    const [other] = atRanks(tf.sub(z, tf.mul(oneHot, OUT_OF_REACH)), [1])
    return { numerator: tf.sub(oneHot, other!), denominator: tf.sub(first!, third!) }
  })
}

export function targetedDlr(
  logits: tf.Tensor2D,
  oneHot: tf.Tensor2D,
  targetOneHot: tf.Tensor2D,
): tf.Tensor1D {
  if (logits.shape[1] < 4)
    throw new Error(`targetedDlr: needs at least 4 classes. Received classes=${logits.shape[1]}.`)
  return ratioLoss(logits, (z) => {
    const [first, third, fourth] = atRanks(z, [1, 3, 4])
    return {
      numerator: tf.sub(oneHot, targetOneHot),
      denominator: tf.sub(first!, tf.mul(tf.add(third!, fourth!), 0.5)),
    }
  })
}

const named = { crossEntropy, dlr, margin }

/** The loss as a function of images, to be maximised: one value per example, or a scalar from a user's own loss. */
export function lossOfImages(
  classifier: Classifier,
  labels: tf.Tensor,
  loss: AttackLoss,
): (images: tf.Tensor) => tf.Tensor {
  if (typeof loss === 'function') return (images) => loss(labels, classifier.outputs(images))
  const perExample = named[loss]
  if (!perExample)
    throw new Error(
      `attack: \`loss\` must be 'crossEntropy', 'dlr', 'margin' or a function. Received loss=${loss}.`,
    )
  let checked = false
  return (images) => {
    const logits = classifier.logits(images)
    if (!checked) checkClasses('attack', labels, logits.shape[1])
    checked = true
    return perExample(logits, oneHotLabels(labels, logits.shape[1]))
  }
}
