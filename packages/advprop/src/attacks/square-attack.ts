/**
 * Square attack: random search with squares that shrink over time. It sees the target's scores, never a gradient.
 *
 *     x' = P(x + 2 epsilon sign in a random square),  kept where the margin loss rises
 *
 * The search starts from vertical stripes of +-epsilon. The squares cover a fraction p of the image, `initialFraction`
 * at first and halved at fixed parts of the query budget (section 4.1).
 *
 * Paper: Andriushchenko, Croce, Flammarion, Hein, "Square Attack: a query-efficient black-box adversarial attack via
 * random search", ECCV 2020, arXiv 1912.00049, algorithms 1 and 2.
 */
import * as tf from '@tensorflow/tfjs-core'
import { select } from './apgd'
import { toUnitTarget } from './bounds'
import { checkClasses } from './check-batch'
import { margin } from './losses'
import { type AttackOptions, checkAttack, linfBall } from './pgd'
import { type AttackTarget, oneHotLabels } from './target'

export interface SquareAttackOptions extends Omit<AttackOptions, 'loss' | 'targeted'> {
  /** Evaluations of the target per image, at least 1. @default 1000 */
  queries?: number
  /** Part of the image that the first squares cover, in (0, 1]. @default 0.8 */
  initialFraction?: number
}

// Queries, of a budget of 10,000, after which the fraction is halved once more.
const HALVINGS = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000]

/** Part of the image that a square covers at a query. */
export function squareFraction(query: number, queries: number, initialFraction: number): number {
  const scaled = Math.trunc((query / queries) * 10_000)
  return initialFraction / 2 ** HALVINGS.filter((at) => scaled > at).length
}

/**
 * Adversarial images by random search within an L-infinity ball: needs no gradient, so it sees through masked ones.
 *
 * @param target - a LayersModel, a GraphModel or a function from images to logits; need not be differentiable.
 * @param images - `[batch, height, width, channels]` within `bounds`.
 * @param labels - class indices `[batch]` or one-hot `[batch, classes]`.
 * @returns images of the same shape; the caller disposes them.
 * @throws Error when an option is invalid or the images have not rank 4.
 *
 * Paper: Andriushchenko et al., arXiv 1912.00049, algorithms 1 and 2.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { squareAttack } from '@tfgraft/advprop'
 *
 * const logits = (images: tf.Tensor) => tf.reshape(images, [-1, 4])
 * const images = tf.randomUniform([2, 2, 2, 1])
 * const adversarial = squareAttack(logits, images, tf.tensor1d([0, 3], 'int32'), { epsilon: 0.1, queries: 50 })
 * ```
 */
export function squareAttack(
  target: AttackTarget,
  images: tf.Tensor,
  labels: tf.Tensor,
  options: SquareAttackOptions,
): tf.Tensor {
  const { epsilon, queries = 1000, initialFraction = 0.8, seed = 0 } = options
  checkAttack('squareAttack', options)
  if (!(Number.isInteger(queries) && queries >= 1))
    throw new Error(
      `squareAttack: \`queries\` must be an integer of at least 1. Received queries=${queries}.`,
    )
  if (!(initialFraction > 0 && initialFraction <= 1))
    throw new Error(
      `squareAttack: \`initialFraction\` must be in (0, 1]. Received initialFraction=${initialFraction}.`,
    )
  if (images.rank !== 4)
    throw new Error(
      `squareAttack: images must be [batch, height, width, channels]. Received shape=[${images.shape}].`,
    )
  return tf.tidy(() => {
    const { classifier, images: clean, restore } = toUnitTarget(target, images, labels, options.bounds)
    const [batch, height, width, channels] = clean.shape as [number, number, number, number]
    const { project } = linfBall(clean, epsilon)
    const signs = (shape: number[], at: number) =>
      tf.sub(tf.mul(tf.floor(tf.randomUniform(shape, 0, 2, 'float32', at)), 2), 1)
    const classes = classifier.logits(clean).shape[1]
    checkClasses('attack', labels, classes)
    const oneHot = oneHotLabels(labels, classes)
    const marginOf = (x: tf.Tensor): tf.Tensor => margin(classifier.logits(x), oneHot)
    let best = project(tf.add(clean, tf.mul(signs([batch, 1, width, channels], seed), epsilon)))
    let bestMargin = marginOf(best)
    for (let query = 1; query < queries; query++) {
      const fraction = squareFraction(query, queries, initialFraction)
      const side = Math.min(
        Math.max(Math.round(Math.sqrt(fraction * height * width)), 1),
        Math.max(Math.min(height, width) - 1, 1),
      )
      const [x, m] = tf.tidy(() => {
        const square = randomSquares(clean.shape as Shape4, side, seed + 7919 * query)
        const candidate = project(tf.add(best, tf.mul(square, 2 * epsilon)))
        const candidateMargin = marginOf(candidate)
        // A fooled example keeps its image: more queries would only move it.
        const better = tf.mul(
          tf.cast(tf.greater(candidateMargin, bestMargin), 'float32'),
          tf.cast(tf.lessEqual(bestMargin, 0), 'float32'),
        )
        return [select(better, candidate, best), select(better, candidateMargin, bestMargin)]
      }) as [tf.Tensor, tf.Tensor]
      tf.dispose([best, bestMargin])
      ;[best, bestMargin] = [x, m]
    }
    return restore(best)
  })
}

type Shape4 = [number, number, number, number]

/** Zeros but for a square per example, at a random place, with a random sign per channel. */
function randomSquares([batch, height, width, channels]: Shape4, side: number, seed: number): tf.Tensor {
  const draws = tf.randomUniform([batch, 2 + channels], 0, 1, 'float32', seed).dataSync()
  const values = new Float32Array(batch * height * width * channels)
  for (let n = 0; n < batch; n++) {
    const [u, v, ...signs] = draws.subarray(n * (2 + channels), (n + 1) * (2 + channels))
    const top = Math.floor(u! * (height - side + 1))
    const left = Math.floor(v! * (width - side + 1))
    const row = signs.map((s) => (s < 0.5 ? -1 : 1))
    for (let y = top; y < top + side; y++)
      for (let x = left; x < left + side; x++) values.set(row, ((n * height + y) * width + x) * channels)
  }
  return tf.tensor4d(values, [batch, height, width, channels])
}
