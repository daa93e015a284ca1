/**
 * Fast AdvProp: the clean training pass also gives the gradient to the images, which makes the adversarial examples.
 *
 *     g = d (1 - w) L(x, main) / d (weights, x);   x_adv = clip(x + stepSize sign(g_x));   g += d w L(x_adv, auxiliary) / d weights
 *
 * One optimizer step with the sum. The attack costs no pass of its own, but sees batch statistics instead of running ones.
 *
 * Paper: Mei, Han, Bai, Zhang, Li, Xie, Yuille, Xie, "Fast AdvProp", ICLR 2022, arXiv 2204.09838, section 3.
 */
import * as tf from '@tensorflow/tfjs-core'
import { dataLoss, forward, type TrainingSetup, type TrainStep } from '@tfgraft/core'
import { toUnitRange } from '../attacks/bounds'
import { linfBall } from '../attacks/pgd'
import { withBatchSplit } from '../batch-normalization/batch-split'
import { firstRows, imagesOf, rowCounts, through, withRest } from './adversarial-step'
import type { ResolvedOptions, TrainingAttack } from './options'

const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value])

/** One signed step from `images` along `gradient`, within budget and range. */
function signedStep(
  images: tf.Tensor,
  gradient: tf.Tensor,
  { epsilon, stepSize = epsilon, bounds }: TrainingAttack,
) {
  const { images: unit, restore } = toUnitRange(images, bounds)
  return restore(linfBall(unit, epsilon).project(tf.add(unit, tf.mul(tf.sign(gradient), stepSize))))
}

export function gradientReuseStep(options: ResolvedOptions): TrainStep {
  const { adversarialWeight, auxiliary } = options
  const attack = options.attacks[0] as TrainingAttack
  const route = (rows: number) => (auxiliary === 'none' ? [rows] : through(0, rows))
  return (setup: TrainingSetup, { xs, ys }) => {
    const { model, optimizer, loss } = setup
    const images = imagesOf(xs)
    const { clean, adversarial } = rowCounts(images.shape[0]!, options)
    const weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable)
    let predictions: tf.Tensor[] = []
    const total = tf.tidy(() => {
      const labels = list(ys).map((y) => firstRows(y, clean))
      const x = tf.variable(firstRows(images, clean)) // a variable, so that one backward pass gives its gradient too
      try {
        const first = tf.variableGrads(() => {
          predictions = forward(model, x, { training: true }).map((p) => tf.keep(p))
          const penalties = model.calculateLosses()
          return tf.addN([
            tf.mul(dataLoss(loss, labels, predictions), 1 - adversarialWeight),
            ...penalties,
          ]) as tf.Scalar
        }, [...weights, x])
        const { [x.name]: towards, ...ofClean } = first.grads
        const examples = signedStep(firstRows(x, adversarial), firstRows(towards!, adversarial), attack)
        const second = withBatchSplit(route(adversarial), () =>
          tf.variableGrads(() => {
            const outputs = forward(model, examples, { training: true })
            const attacked = labels.map((y) => firstRows(y, adversarial))
            const value = dataLoss(options.adversarialLoss ?? loss, attacked, outputs)
            return tf.mul(value, adversarialWeight) as tf.Scalar
          }, weights),
        )
        const sums = { ...ofClean }
        for (const [name, g] of Object.entries(second.grads))
          sums[name] = sums[name] ? tf.add(sums[name], g) : g
        optimizer.applyGradients(sums)
        return tf.add(first.value, second.value) as tf.Scalar
      } finally {
        x.dispose()
      }
    })
    const own = withRest(setup, images, predictions, clean)
    tf.dispose(predictions)
    return { loss: total, predictions: own }
  }
}
