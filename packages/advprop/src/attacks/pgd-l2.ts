/**
 * Projected gradient descent within an L2 ball.
 *
 *     x_{t+1} = clip(x + P(x_t + stepSize g / ||g|| - x), 0, 1),     P(d) = d min(1, epsilon / ||d||)
 *
 * Norms are per example, over all pixels in 0..1. Clipping moves every pixel towards x, so the ball is not left.
 */
import * as tf from '@tensorflow/tfjs-core'
import { toUnitTarget } from './bounds'
import { lossOfImages } from './losses'
import { advance, checkAttack, type PgdOptions } from './pgd'
import type { AttackTarget } from './target'

// Below it a gradient or a distance counts as zero and stays zero.
const TINY = 1e-12

/** Euclidean length per example, with dimensions kept: `[batch, 1, ...]`. Scaled, so that squares do not underflow. */
function lengths(x: tf.Tensor): tf.Tensor {
  const axes = x.shape.map((_, i) => i).slice(1)
  const largest = tf.add(tf.max(tf.abs(x), axes, true), TINY)
  return tf.mul(tf.sqrt(tf.sum(tf.square(tf.div(x, largest)), axes, true)), largest)
}

/**
 * Adversarial images by projected gradient steps within an L2 ball.
 *
 * @param target - a LayersModel, a GraphModel or a function from images to logits.
 * @param images - `[batch, ...]` within `bounds`.
 * @param labels - class indices `[batch]` or one-hot `[batch, classes]`.
 * @param options - as for {@link pgd}; `epsilon` and `stepSize` are Euclidean lengths over all pixels of an image
 *   whose valid range is taken as 0..1.
 * @returns images of the same shape; the caller disposes them.
 * @throws Error when `epsilon`, `iterations`, `bounds` or `loss` is invalid.
 *
 * Paper: Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", arXiv 1706.06083.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { pgdL2 } from '@tfgraft/advprop'
 *
 * const logits = (images: tf.Tensor) => tf.reshape(images, [-1, 4])
 * const images = tf.fill([1, 2, 2, 1], 0.5)
 * const adversarial = pgdL2(logits, images, tf.tensor1d([0], 'int32'), { epsilon: 0.5, iterations: 5 })
 * ```
 */
export function pgdL2(
  target: AttackTarget,
  images: tf.Tensor,
  labels: tf.Tensor,
  options: PgdOptions,
): tf.Tensor {
  const { epsilon, iterations = 10, randomStart = true, loss = 'crossEntropy', seed = 0 } = options
  checkAttack('pgdL2', options, iterations, Number.POSITIVE_INFINITY)
  const stepSize = (options.stepSize ?? (2.5 * epsilon) / iterations) * (options.targeted ? -1 : 1)
  return tf.tidy(() => {
    const { classifier, images: start, restore } = toUnitTarget(target, images, labels, options.bounds)
    const lossOf = lossOfImages(classifier, labels, loss)
    const gradient = tf.grad((x) => tf.sum(lossOf(x)))
    const project = (x: tf.Tensor) => {
      const offset = tf.sub(x, start)
      const scale = tf.minimum(tf.div(epsilon, tf.add(lengths(offset), TINY)), 1)
      return tf.clipByValue(tf.add(start, tf.mul(offset, scale)), 0, 1)
    }
    let x = tf.clone(start)
    if (randomStart) {
      // A uniform direction, at a radius that is uniform in the volume of the ball.
      const direction = tf.randomNormal(start.shape, 0, 1, 'float32', seed)
      const batch = [start.shape[0]!, ...start.shape.slice(1).map(() => 1)]
      const radius = tf.pow(tf.randomUniform(batch, 0, 1, 'float32', seed + 1), 1 / (start.size / batch[0]!))
      const offset = tf.mul(tf.div(direction, tf.add(lengths(direction), TINY)), tf.mul(radius, epsilon))
      x = project(tf.add(start, offset))
    }
    for (let t = 0; t < iterations; t++)
      x = advance(x, (at) => {
        const g = gradient(at)
        return project(tf.add(at, tf.mul(tf.div(g, tf.add(lengths(g), TINY)), stepSize)))
      })
    return restore(x)
  })
}
