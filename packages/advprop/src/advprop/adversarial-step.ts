/**
 * AdvProp's training step: attacks the batch, then lets another step train on clean and adversarial rows in one batch.
 *
 *     L = (1 - w) L(x, main) + w L(x_adv, auxiliary)
 *
 * The other step sees a bigger batch and a loss that weighs its parts; it need not know about AdvProp.
 */
import * as tf from '@tensorflow/tfjs-core'
import {
  dataLoss,
  type LossFunction,
  type StepOutput,
  type TrainingSetup,
  type TrainStep,
} from '@tfgraft/core'
import { toUnitRange } from '../attacks/bounds'
import { ascend } from '../attacks/pgd'
import type { Attack } from '../attacks/target'
import { withBatchSplit } from '../batch-normalization/batch-split'
import type { ResolvedOptions, TrainingAttack } from './options'

const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value])

export const firstRows = (x: tf.Tensor, count: number): tf.Tensor =>
  count === x.shape[0] ? tf.clone(x) : tf.slice(x, 0, count)

/** The batch's images: AdvProp perturbs one input. */
export function imagesOf(xs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  const inputs = list(xs)
  if (inputs.length !== 1)
    throw new Error(`advprop: the model must have one input. Received ${inputs.length}.`)
  return inputs[0]!
}

/** How many of `batchSize` rows are trained on, and how many of those are attacked. */
export function rowCounts(
  batchSize: number,
  { trainedPart, adversarialFraction }: ResolvedOptions,
): { clean: number; adversarial: number } {
  const clean = Math.max(1, Math.round(batchSize * trainedPart))
  return { clean, adversarial: Math.max(1, Math.round(clean * adversarialFraction)) }
}

/** Adversarial images for one attack, with the network in inference mode. */
function attackBatch(
  setup: TrainingSetup,
  attack: TrainingAttack | Attack,
  images: tf.Tensor,
  ys: tf.Tensor[],
  seed: number,
): tf.Tensor {
  const { model, loss } = setup
  if (typeof attack === 'function') return attack(model, images, ys[0]!)
  return tf.tidy(() => {
    const raw = (x: tf.Tensor) => list(model.apply(x, { training: false }) as tf.Tensor | tf.Tensor[])
    const { images: unit, toInput, restore } = toUnitRange(images, attack.bounds)
    const { iterations = 10, stepSize = (2.5 * attack.epsilon) / iterations } = attack
    const lossOf = (x: tf.Tensor) => dataLoss(loss, ys, raw(toInput(x)))
    return restore(ascend(lossOf, unit, { ...attack, iterations, stepSize, seed }))
  })
}

/** Rows by statistics: all `rows` through auxiliary `index`, from 0. */
export const through = (index: number, rows: number): number[] => [...Array(index + 1).fill(0), rows]

/** The setup's losses, weighed by the part of the batch that a row belongs to. */
function weighed(
  loss: LossFunction | LossFunction[],
  split: readonly number[],
  { adversarialWeight, adversarialLoss, attacks }: ResolvedOptions,
): LossFunction | LossFunction[] {
  const combine = (clean: LossFunction, adversarial: LossFunction): LossFunction => {
    return (labels, predictions) => {
      const [ys, ps] = [tf.split(labels, [...split], 0), tf.split(predictions, [...split], 0)]
      const terms = ys.map((y, i) =>
        i === 0
          ? tf.mul(tf.mean(clean(y, ps[i]!)), 1 - adversarialWeight)
          : tf.mul(tf.mean(adversarial(y, ps[i]!)), adversarialWeight / attacks.length),
      )
      return tf.addN(terms)
    }
  }
  const own = adversarialLoss ?? loss
  if (!Array.isArray(loss) && !Array.isArray(own)) return combine(loss, own)
  return list(loss).map((clean, i) => combine(clean, list(own)[i]!))
}

/** `inner` on clean and adversarial rows. */
export function adversarialStep(inner: TrainStep, options: ResolvedOptions): TrainStep {
  const { attacks, auxiliary, attackStatistics } = options
  return (setup, { xs, ys }, context): StepOutput => {
    const images = imagesOf(xs)
    const { clean, adversarial } = rowCounts(images.shape[0]!, options)
    const split = [clean, ...attacks.map(() => adversarial)]
    const batch = tf.tidy(() => {
      const attacked = firstRows(images, adversarial)
      const labels = list(ys).map((y) => firstRows(y, adversarial))
      const examples = attacks.map((attack, i) => {
        const run = () => attackBatch(setup, attack, attacked, labels, context.seed + i)
        const routed = auxiliary !== 'none' && attackStatistics === 'auxiliary'
        return withBatchSplit(routed ? through(i, adversarial) : [adversarial], run)
      })
      const repeat = (y: tf.Tensor, i: number) =>
        tf.concat([firstRows(y, clean), ...attacks.map(() => labels[i]!)], 0)
      return { xs: tf.concat([firstRows(images, clean), ...examples], 0), ys: list(ys).map(repeat) }
    })
    try {
      const weighedSetup = { ...setup, loss: weighed(setup.loss, split, options) }
      const { loss, predictions } = withBatchSplit(
        auxiliary === 'none' ? [clean + adversarial * attacks.length] : split,
        () => inner(weighedSetup, batch, context),
      )
      const own = withRest(setup, images, predictions, clean)
      tf.dispose(predictions)
      return { loss, predictions: own }
    } finally {
      tf.dispose([batch.xs, batch.ys])
    }
  }
}

/** Predictions for the whole batch: those of the clean rows, and by inference for rows that were not trained on. */
export function withRest(
  { model }: TrainingSetup,
  images: tf.Tensor,
  predictions: tf.Tensor[],
  clean: number,
): tf.Tensor[] {
  return tf.tidy(() => {
    const own = predictions.map((p) => firstRows(p, clean))
    const rest = images.shape[0]! - clean
    if (rest === 0) return own
    const others = list(model.apply(tf.slice(images, clean), { training: false }) as tf.Tensor | tf.Tensor[])
    return own.map((p, i) => tf.concat([p, others[i]!], 0))
  })
}
