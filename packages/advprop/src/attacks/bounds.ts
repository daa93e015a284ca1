/**
 * The range of valid inputs. Attacks work on images in 0..1: a target that takes other values (normalised, -1..1,
 * 0..255) is wrapped, so that budgets and step sizes always mean parts of the valid range.
 */
import * as tf from '@tensorflow/tfjs-core'
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

/** An attack's view of the target and the images, both in 0..1. */
export interface UnitRange {
  classifier: Classifier
  images: tf.Tensor
  /** From 0..1 to the caller's range. */
  restore(images: tf.Tensor): tf.Tensor
}

export function toUnitRange(target: AttackTarget, images: tf.Tensor, bounds?: Bounds): UnitRange {
  const classifier = classifierOf(target)
  if (!bounds || (bounds.min === 0 && bounds.max === 1))
    return { classifier, images, restore: (unit) => unit }
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
  const restore = (unit: tf.Tensor) => tf.add(tf.mul(unit, range), min)
  return {
    classifier: {
      outputs: (unit) => classifier.outputs(restore(unit)),
      logits: (unit) => classifier.logits(restore(unit)),
    },
    images: tf.div(tf.sub(images, min), range),
    restore: (unit) => tf.maximum(tf.minimum(restore(unit), max), min), // rounding must not leave the range
  }
}
