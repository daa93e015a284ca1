/**
 * Auto-PGD: projected gradient ascent with momentum, whose step size halves per example when progress stalls.
 *
 *     z = P(x_t + step sign(grad_t)),   x_{t+1} = P(x_t + 0.75 (z - x_t) + 0.25 (x_t - x_{t-1}))
 *
 * The step starts at 2 epsilon. At checkpoints, after 0, 22 %, 41 %, ... of the iterations (intervals shrink by 3 % down
 * to 6 %), an example halves its step and restarts from its best point when fewer than 75 % of the steps since the last
 * checkpoint raised its loss, or when neither step nor best loss changed since then.
 *
 * Paper: Croce, Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free
 * attacks", ICML 2020, arXiv 2003.01690, algorithm 1. Reference: fra31/auto-attack.
 *
 * Differs from the reference: the first step counts as an increase when it beats the starting point (the reference
 * compares with an unset value); three random starts, not one; examples that are fooled go on unchanged in the batch instead of leaving it.
 */
import * as tf from '@tensorflow/tfjs-core'
import { toUnitTarget } from './bounds'
import { checkClasses } from './check-batch'
import { type AttackLoss, lossOfImages, margin, targetedDlr } from './losses'
import { type AttackOptions, checkAttack, linfBall } from './pgd'
import { type AttackTarget, type Classifier, oneHotLabels } from './target'

export interface ApgdOptions extends Omit<AttackOptions, 'loss' | 'targeted'> {
  /** What to maximise. `'targetedDlr'` attacks the `targetClasses` likeliest other classes in turn. @default 'crossEntropy' */
  loss?: AttackLoss | 'targetedDlr'
  /** Gradient steps per start, at least 1. @default 100 */
  iterations?: number
  /**
   * Random starts, at least 1. The reference has 1, with which cross entropy alone was up to 0.7 points weaker than
   * PGD-40 on small perceptrons. @default 3
   */
  restarts?: number
  /** Wrong classes that `'targetedDlr'` tries, at most classes - 1. @default 9 */
  targetClasses?: number
}

const MOMENTUM = 0.75
const INCREASES = 0.75
const CHECKPOINTS = { first: 0.22, shrink: 0.03, least: 0.06 }

/** Per-example numbers are `[batch]`; images have the batch's shape. */
interface State {
  [name: string]: tf.Tensor
  x: tf.Tensor
  previous: tf.Tensor
  gradient: tf.Tensor
  loss: tf.Tensor
  step: tf.Tensor
  best: tf.Tensor
  bestGradient: tf.Tensor
  bestLoss: tf.Tensor
  /** Steps since the last checkpoint that raised the loss. */
  increases: tf.Tensor
  bestAtCheckpoint: tf.Tensor
  /** 1 where the last checkpoint halved the step. */
  halved: tf.Tensor
  /** The result so far and its margin: the first misclassified point stays, else the best by loss. */
  result: tf.Tensor
  fooled: tf.Tensor
}

/** Where the mask `[batch]` is 1, `a`; where it is 0, `b`. */
export function select(mask: tf.Tensor, a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const m = tf.reshape(mask, [mask.shape[0]!, ...a.shape.slice(1).map(() => 1)])
  return tf.add(tf.mul(a, m), tf.mul(b, tf.sub(1, m)))
}

const asFloat = (condition: tf.Tensor) => tf.cast(condition, 'float32')

/** Replaces the state by what `f` makes of it, keeping no other tensor. */
function evolve(state: State, f: (state: State) => Partial<State>): State {
  const next = tf.tidy(() => {
    const changed = f(state)
    return Object.fromEntries(
      Object.keys(state).map((key) => [key, tf.clone(changed[key] ?? state[key]!)]),
    ) as State
  })
  tf.dispose(state)
  return next
}

/** Iterations after which steps are reviewed, and the length of the interval that ends there. */
export function checkpoints(iterations: number): Map<number, number> {
  const part = (fraction: number) => Math.max(Math.trunc(fraction * iterations), 1)
  const at = new Map<number, number>()
  let interval = part(CHECKPOINTS.first)
  for (let end = interval; end <= iterations; ) {
    at.set(end, interval)
    interval = Math.max(interval - part(CHECKPOINTS.shrink), part(CHECKPOINTS.least))
    end += interval
  }
  return at
}

/** One run from one start. Returns images, misclassified where it found any. */
function run(
  classifier: Classifier,
  images: tf.Tensor,
  start: tf.Tensor,
  oneHot: tf.Tensor2D,
  lossOf: (x: tf.Tensor) => tf.Tensor,
  epsilon: number,
  iterations: number,
): { result: tf.Tensor; fooled: tf.Tensor } {
  const { project } = linfBall(images, epsilon)
  // Of losses per example, whose sum's gradient this is: one forward pass for both.
  const lossAndGradient = tf.valueAndGrad(lossOf)
  const batch = images.shape[0]!
  const isFooled = (x: tf.Tensor) => asFloat(tf.greater(margin(classifier.logits(x), oneHot), 0))
  let state: State = tf.tidy(() => {
    const x = project(start)
    const { value: loss, grad: gradient } = lossAndGradient(x)
    const initial = {
      ...{ x, previous: x, gradient, loss, best: x, bestGradient: gradient, bestLoss: loss },
      ...{ step: tf.fill([batch], 2 * epsilon), increases: tf.zeros([batch]), bestAtCheckpoint: loss },
      ...{ halved: tf.ones([batch]), result: x, fooled: isFooled(x) },
    }
    return Object.fromEntries(Object.entries(initial).map(([key, value]) => [key, tf.clone(value)])) as State
  })
  const reviews = checkpoints(iterations)
  for (let t = 0; t < iterations; t++) {
    state = evolve(state, (s) => {
      const step = tf.reshape(s.step, [batch, ...images.shape.slice(1).map(() => 1)])
      const z = project(tf.add(s.x, tf.mul(step, tf.sign(s.gradient))))
      const momentum = t === 0 ? 1 : MOMENTUM
      const inertia = tf.mul(tf.sub(s.x, s.previous), 1 - momentum)
      const x = project(tf.add(tf.add(s.x, tf.mul(tf.sub(z, s.x), momentum)), inertia))
      const { value: loss, grad: gradient } = lossAndGradient(x)
      const fooled = isFooled(x)
      const better = asFloat(tf.greater(loss, s.bestLoss))
      const keep = tf.sub(1, s.fooled) // a misclassified result stays
      return {
        ...{ x, previous: s.x, gradient, loss },
        best: select(better, x, s.best),
        bestGradient: select(better, gradient, s.bestGradient),
        bestLoss: tf.maximum(loss, s.bestLoss),
        increases: tf.add(s.increases, asFloat(tf.greater(loss, s.loss))),
        result: select(tf.mul(keep, tf.maximum(better, fooled)), x, s.result),
        fooled: tf.maximum(s.fooled, fooled),
      }
    })
    const interval = reviews.get(t + 1)
    if (interval === undefined) continue
    state = evolve(state, (s) => {
      const oscillates = asFloat(tf.lessEqual(s.increases, INCREASES * interval))
      const unchanged = asFloat(tf.greaterEqual(s.bestAtCheckpoint, s.bestLoss))
      const halve = tf.maximum(oscillates, tf.mul(tf.sub(1, s.halved), unchanged))
      return {
        step: tf.mul(s.step, tf.sub(1, tf.mul(halve, 0.5))),
        x: select(halve, s.best, s.x),
        gradient: select(halve, s.bestGradient, s.gradient),
        loss: select(halve, s.bestLoss, s.loss),
        halved: halve,
        bestAtCheckpoint: s.bestLoss,
        increases: tf.zeros([batch]),
      }
    })
  }
  const { result, fooled, ...others } = state
  tf.dispose(others)
  return { result, fooled }
}

/** One-hot rows of the `k`-th likeliest wrong class, k from 1. */
function likeliestWrong(logits: tf.Tensor2D, oneHot: tf.Tensor2D, k: number): tf.Tensor2D {
  const { indices } = tf.topk(tf.sub(logits, tf.mul(oneHot, 1e9)), k)
  return oneHotLabels(tf.squeeze(tf.slice(indices, [0, k - 1], [-1, 1]), [1]), logits.shape[1])
}

/**
 * Adversarial images by Auto-PGD within an L-infinity ball: no step size to choose.
 *
 * The target runs in inference mode. Where no start and no loss fools it, the image is the best one by loss.
 *
 * @param target - a LayersModel, a GraphModel or a function from images to logits.
 * @param images - `[batch, ...]` within `bounds`.
 * @param labels - class indices `[batch]` or one-hot `[batch, classes]`.
 * @returns images of the same shape; the caller disposes them.
 * @throws Error when an option is invalid; when DLR has fewer than 3 classes, or targeted DLR fewer than 4.
 *
 * Paper: Croce & Hein, arXiv 2003.01690, algorithm 1 and equations 6 and 7.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { apgd } from '@tfgraft/advprop'
 *
 * const logits = (images: tf.Tensor) => tf.reshape(images, [-1, 4])
 * const images = tf.randomUniform([2, 2, 2, 1])
 * const adversarial = apgd(logits, images, tf.tensor1d([0, 3], 'int32'), { epsilon: 0.1, iterations: 20, loss: 'dlr' })
 * ```
 */
export function apgd(
  target: AttackTarget,
  images: tf.Tensor,
  labels: tf.Tensor,
  options: ApgdOptions,
): tf.Tensor {
  const { epsilon, loss = 'crossEntropy', iterations = 100, restarts = 3, seed = 0 } = options
  const { targetClasses = 9 } = options
  checkAttack('apgd', options, iterations)
  for (const [name, value] of Object.entries({ restarts, targetClasses }))
    if (!(Number.isInteger(value) && value >= 1))
      throw new Error(`apgd: \`${name}\` must be an integer of at least 1. Received ${name}=${value}.`)
  return tf.tidy(() => {
    const { classifier, images: clean, restore } = toUnitTarget(target, images, labels, options.bounds)
    const logits = classifier.logits(clean)
    checkClasses('attack', labels, logits.shape[1])
    const oneHot = oneHotLabels(labels, logits.shape[1])
    const targets = loss === 'targetedDlr' ? Math.min(targetClasses, logits.shape[1] - 1) : 1
    let found: { result: tf.Tensor; fooled: tf.Tensor } | undefined
    for (let start = 0; start < restarts; start++)
      for (let k = 1; k <= targets; k++) {
        const goal = loss === 'targetedDlr' ? likeliestWrong(logits, oneHot, k) : null
        const lossOf =
          loss === 'targetedDlr'
            ? (x: tf.Tensor) => targetedDlr(classifier.logits(x), oneHot, goal!)
            : perExample(lossOfImages(classifier, labels, loss))
        // Stretched, as in the reference, so that every example starts on the surface of its ball.
        const noise = tf.randomUniform(clean.shape, -1, 1, 'float32', seed + 31 * start + k)
        const reach = tf.max(tf.abs(noise), clean.shape.map((_, i) => i).slice(1), true)
        const from = tf.add(clean, tf.mul(tf.div(noise, reach), epsilon))
        const next = run(classifier, clean, from, oneHot, lossOf, epsilon, iterations)
        found = found
          ? {
              result: select(found.fooled, found.result, next.result),
              fooled: tf.maximum(found.fooled, next.fooled),
            }
          : next
      }
    return restore(found!.result)
  })
}

function perExample(lossOf: (x: tf.Tensor) => tf.Tensor): (x: tf.Tensor) => tf.Tensor {
  return (x) => {
    const value = lossOf(x)
    if (value.rank !== 1)
      throw new Error(`apgd: \`loss\` must give one value per example. Received shape=[${value.shape}].`)
    return value
  }
}
