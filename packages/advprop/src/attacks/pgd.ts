/**
 * Projected gradient descent within an L-infinity ball, and its single step, FGSM.
 *
 *     x_0 = x (+ U(-epsilon, epsilon))
 *     x_{t+1} = clip(x_t + stepSize sign(d loss / d x_t), max(x - epsilon, 0), min(x + epsilon, 1))
 *
 * Papers: Goodfellow, Shlens, Szegedy, "Explaining and Harnessing Adversarial Examples", arXiv 1412.6572;
 * Madry, Makelov, Schmidt, Tsipras, Vladu, "Towards Deep Learning Models Resistant to Adversarial Attacks",
 * arXiv 1706.06083.
 */
import * as tf from '@tensorflow/tfjs-core'
import { type Bounds, toUnitTarget } from './bounds'
import { type AttackLoss, lossOfImages } from './losses'
import type { AttackTarget } from './target'

export interface AttackOptions {
  /** Budget: largest distance from the image, as a part of the valid range (4 / 255, say), in [0, 1]; of `pgdL2`, any length. */
  epsilon: number
  /** Range of valid inputs. @default { min: 0, max: 1 } */
  bounds?: Bounds
  /** What to maximise. @default 'crossEntropy' */
  loss?: AttackLoss
  /** The labels are what the target shall say: the loss is minimised. @default false */
  targeted?: boolean
  /** Seed of the random start. @default 0 */
  seed?: number
}

export interface PgdOptions extends AttackOptions {
  /** Part of the valid range per step. Negative values descend. @default 2.5 * epsilon / iterations */
  stepSize?: number
  /** Steps, at least 1. @default 10 */
  iterations?: number
  /** Starts at a random point of the ball. @default true */
  randomStart?: boolean
}

/** Rejects budgets and counts that mean nothing. An L-infinity budget above 1 is meant on another scale. */
export function checkAttack(
  name: string,
  { epsilon, stepSize }: { epsilon: number; stepSize?: number },
  iterations = 1,
  greatest = 1,
): void {
  if (epsilon > greatest)
    throw new Error(
      `${name}: \`epsilon\` is a part of the valid range, such as 8 / 255, at most ${greatest}. Received epsilon=${epsilon}.`,
    )
  if (stepSize !== undefined && !Number.isFinite(stepSize))
    throw new Error(`${name}: \`stepSize\` must be a number. Received stepSize=${stepSize}.`)
  if (!(epsilon >= 0))
    throw new Error(`${name}: \`epsilon\` must be at least 0. Received epsilon=${epsilon}.`)
  if (!(Number.isInteger(iterations) && iterations >= 1))
    throw new Error(
      `${name}: \`iterations\` must be an integer of at least 1. Received iterations=${iterations}.`,
    )
}

/** The valid images within epsilon of `images`, which are in 0..1, and the way to the nearest of them. */
export function linfBall(images: tf.Tensor, epsilon: number) {
  const lower = tf.maximum(tf.sub(images, epsilon), 0)
  const upper = tf.minimum(tf.add(images, epsilon), 1)
  return { lower, upper, project: (x: tf.Tensor) => tf.minimum(tf.maximum(x, lower), upper) }
}

/** Replaces `current` by what `step` makes of it, keeping no other tensor. */
export function advance(current: tf.Tensor, step: (x: tf.Tensor) => tf.Tensor): tf.Tensor {
  const next = tf.tidy(() => step(current))
  current.dispose()
  return next
}

/**
 * Adversarial images by projected gradient steps within an L-infinity ball.
 *
 * The target runs in inference mode and stays unchanged. Pixels whose gradient is exactly zero stay.
 *
 * @param target - a LayersModel, a GraphModel or a function from images to logits.
 * @param images - `[batch, ...]` within `bounds`.
 * @param labels - class indices `[batch]` or one-hot `[batch, classes]`.
 * @returns images of the same shape; the caller disposes them.
 * @throws Error when `epsilon`, `iterations`, `stepSize`, `bounds` or `loss` is invalid; when images leave the bounds or
 *   labels do not fit them.
 *
 * Paper: Madry et al., arXiv 1706.06083, section 2.1.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { pgd } from '@tfgraft/advprop'
 *
 * const logits = (images: tf.Tensor) => tf.reshape(images, [-1, 4])
 * const images = tf.randomUniform([2, 2, 2, 1])
 * const adversarial = pgd(logits, images, tf.tensor1d([0, 3], 'int32'), { epsilon: 4 / 255, iterations: 5 })
 * ```
 */
export function pgd(
  target: AttackTarget,
  images: tf.Tensor,
  labels: tf.Tensor,
  options: PgdOptions,
): tf.Tensor {
  const { epsilon, iterations = 10, loss = 'crossEntropy' } = options
  checkAttack('pgd', options, iterations)
  const stepSize = (options.stepSize ?? (2.5 * epsilon) / iterations) * (options.targeted ? -1 : 1)
  return tf.tidy(() => {
    const { classifier, images: start, restore } = toUnitTarget(target, images, labels, options.bounds)
    const lossOf = lossOfImages(classifier, labels, loss)
    return restore(ascend(lossOf, start, { ...options, iterations, stepSize }))
  })
}

/** The iteration itself, on images in 0..1 and any function of images; a step size below 0 descends. */
export function ascend(
  lossOf: (x: tf.Tensor) => tf.Tensor,
  images: tf.Tensor,
  {
    epsilon,
    iterations,
    stepSize,
    randomStart = true,
    seed = 0,
  }: PgdOptions & { iterations: number; stepSize: number },
): tf.Tensor {
  const gradient = tf.grad((x) => tf.sum(lossOf(x)))
  const { project } = linfBall(images, epsilon)
  let x = randomStart
    ? project(tf.add(images, tf.randomUniform(images.shape, -epsilon, epsilon, 'float32', seed)))
    : tf.clone(images)
  for (let t = 0; t < iterations; t++)
    x = advance(x, (at) => project(tf.add(at, tf.mul(tf.sign(gradient(at)), stepSize))))
  return x
}

/**
 * The fast gradient sign method: one step of length epsilon, without a random start.
 *
 * @param target - a LayersModel, a GraphModel or a function from images to logits.
 * @param images - `[batch, ...]` within `bounds`.
 * @param labels - class indices `[batch]` or one-hot `[batch, classes]`.
 * @returns images of the same shape; the caller disposes them.
 * @throws Error as {@link pgd} does.
 *
 * Paper: Goodfellow, Shlens, Szegedy, arXiv 1412.6572, section 4.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { fgsm } from '@tfgraft/advprop'
 *
 * const logits = (images: tf.Tensor) => tf.reshape(images, [-1, 4])
 * const adversarial = fgsm(logits, tf.fill([1, 2, 2, 1], 0.5), tf.tensor1d([0], 'int32'), { epsilon: 8 / 255 })
 * ```
 */
export function fgsm(
  target: AttackTarget,
  images: tf.Tensor,
  labels: tf.Tensor,
  options: AttackOptions,
): tf.Tensor {
  checkAttack('fgsm', options)
  return pgd(target, images, labels, {
    ...options,
    stepSize: options.epsilon,
    iterations: 1,
    randomStart: false,
  })
}
