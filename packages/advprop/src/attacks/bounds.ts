/**
 * The range of valid inputs. Attacks work on images in 0..1: a target that takes other values (normalised, -1..1,
 * 0..255) is wrapped, so that budgets and step sizes always mean parts of the valid range.
 */
import * as tf from '@tensorflow/tfjs-core'
import { checkLabels, checkRange } from './check-batch'
import { type AttackTarget, type Classifier, classifierOf } from './target'

/** Least and greatest valid input, for all channels or one per channel of the last axis. */
export interface Bounds {
  min: number | readonly number[]
  max: number | readonly number[]
}

/**
 * Bounds of images that were normalised as `(image - mean) / std` from 0..1.
 *
 * @param mean - one number, or one per channel.
 * @param std - positive; one number, or one per channel.
 * @throws Error when the lengths differ or a `std` is not positive.
 *
 * @example
 * ```ts
 * import { normalizedBounds } from '@tfgraft/advprop'
 *
 * const bounds = normalizedBounds([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]) // ImageNet
 * console.log(bounds.min, bounds.max)
 * ```
 */
export function normalizedBounds(mean: number | readonly number[], std: number | readonly number[]): Bounds {
  const [means, stds] = [[mean].flat(), [std].flat()] as number[][]
  if (means!.length !== stds!.length || !stds!.every((s) => s > 0))
    throw new Error(
      `normalizedBounds: \`std\` must be positive and as long as \`mean\`. Received mean=${mean}, std=${std}.`,
    )
  const min = means!.map((m, c) => -m / stds![c]!)
  const max = means!.map((m, c) => (1 - m) / stds![c]!)
  return typeof mean === 'number' ? { min: min[0]!, max: max[0]! } : { min, max }
}

/** Images in 0..1, and the ways back. */
export interface UnitImages {
  images: tf.Tensor
  /** From 0..1 to what the target takes; differentiable. */
  toInput(unit: tf.Tensor): tf.Tensor
  /** The same, kept within the bounds, which rounding might leave. */
  restore(unit: tf.Tensor): tf.Tensor
}

export function toUnitRange(images: tf.Tensor, bounds?: Bounds): UnitImages {
  const same = (unit: tf.Tensor) => unit
  if (!bounds || (bounds.min === 0 && bounds.max === 1)) return { images, toInput: same, restore: same }
  const [lows, highs] = [bounds.min, bounds.max].map((b) => [b].flat() as number[]) as [number[], number[]]
  const channels = images.shape.at(-1)!
  if (lows.length !== highs.length || (lows.length !== 1 && lows.length !== channels))
    throw new Error(
      `attack: \`bounds\` must hold one number or one per channel. Received ${lows.length} and ${highs.length} ` +
        `for ${channels} channels.`,
    )
  if (!lows.every((low, c) => low < highs[c]!))
    throw new Error(
      `attack: \`bounds.min\` must be below \`bounds.max\`. Received min=[${lows}], max=[${highs}].`,
    )
  const [min, max] = [tf.tensor1d(lows), tf.tensor1d(highs)]
  const range = tf.sub(max, min)
  const toInput = (unit: tf.Tensor) => tf.add(tf.mul(unit, range), min)
  return {
    images: tf.div(tf.sub(images, min), range),
    toInput,
    restore: (unit) => tf.maximum(tf.minimum(toInput(unit), max), min),
  }
}

/** The same for an attack, with the target's view of images in 0..1; rejects images and labels that do not fit. */
export function toUnitTarget(
  target: AttackTarget,
  images: tf.Tensor,
  labels: tf.Tensor,
  bounds?: Bounds,
): UnitImages & { classifier: Classifier } {
  const unit = toUnitRange(images, bounds)
  checkRange('attack', unit.images)
  checkLabels('attack', labels, images.shape[0]!)
  const { outputs, logits } = classifierOf(target)
  return {
    ...unit,
    classifier: { outputs: (x) => outputs(unit.toInput(x)), logits: (x) => logits(unit.toInput(x)) },
  }
}
