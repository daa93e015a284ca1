/** How often a model errs on corrupted images, and the paper's summary of it. */
import * as tf from '@tensorflow/tfjs-core'
import { type AttackTarget, classifierOf, correct } from '../attacks/target'
import { type CorruptOptions, corrupt, corruptions, type Severity } from './corrupt'
import type { CorruptionKind } from './parameters'

/** Error rates in 0..1 by corruption, one per measured severity. */
export type CorruptionErrors = Partial<Record<CorruptionKind, number[]>>

export interface CorruptionErrorOptions extends CorruptOptions {
  /** @default all fifteen */
  kinds?: readonly CorruptionKind[]
  /** @default [1, 2, 3, 4, 5] */
  severities?: readonly Severity[]
  /** Images per call of the target. @default 100 */
  batchSize?: number
}

/**
 * Error rates of a classifier on corrupted images.
 *
 * @param target - a LayersModel, a GraphModel or a function from images (0..1) to logits.
 * @param images - `[count, height, width, channels]` in 0..1.
 * @param labels - class indices `[count]` or one-hot `[count, classes]`.
 * @throws Error as {@link corrupt} does.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { corruptionErrors } from '@tfgraft/advprop'
 *
 * const logits = (x: tf.Tensor) => tf.reshape(tf.mean(x, [1, 2]), [-1, 3])
 * const images = tf.randomUniform([4, 8, 8, 3]) as tf.Tensor4D
 * const labels = tf.tensor1d([0, 1, 2, 0], 'int32')
 * console.log(corruptionErrors(logits, images, labels, { kinds: ['fog'], severities: [1, 5] }))
 * ```
 */
export function corruptionErrors(
  target: AttackTarget,
  images: tf.Tensor4D,
  labels: tf.Tensor,
  {
    kinds = corruptions,
    severities = [1, 2, 3, 4, 5],
    batchSize = 100,
    ...options
  }: CorruptionErrorOptions = {},
): CorruptionErrors {
  const classifier = classifierOf(target)
  const count = images.shape[0]
  const errors: CorruptionErrors = {}
  for (const kind of kinds)
    errors[kind] = severities.map((severity) =>
      tf.tidy(() => {
        const corrupted = corrupt(images, kind, severity, options)
        let right = 0
        for (let at = 0; at < count; at += batchSize) {
          const size = Math.min(batchSize, count - at)
          right += tf.tidy(
            () =>
              tf
                .sum(correct(classifier.logits(tf.slice(corrupted, at, size)), tf.slice(labels, at, size)))
                .dataSync()[0]!,
          )
        }
        return 1 - right / count
      }),
    )
  return errors
}

/**
 * The mean corruption error: per corruption, the errors' sum over the severities as a part of a baseline's, and the
 * mean of these parts over the corruptions. 1 is as robust as the baseline, less is better.
 *
 * @param errors - of the model, from {@link corruptionErrors}.
 * @param baseline - of the baseline, for at least the same corruptions.
 * @throws Error when the baseline lacks a corruption or never errs on one.
 *
 * Paper: Hendrycks & Dietterich, arXiv 1903.12261, section 4.2.
 *
 * @example
 * ```ts
 * import { meanCorruptionError } from '@tfgraft/advprop'
 *
 * console.log(meanCorruptionError({ fog: [0.1, 0.2], snow: [0.2, 0.2] }, { fog: [0.2, 0.4], snow: [0.2, 0.2] })) // 0.75
 * ```
 */
export function meanCorruptionError(errors: CorruptionErrors, baseline: CorruptionErrors): number {
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0)
  const parts = Object.entries(errors).map(([kind, values]) => {
    const of = baseline[kind as CorruptionKind]
    if (of?.length !== values.length || sum(of) === 0)
      throw new Error(
        `meanCorruptionError: the baseline must err on ${kind}, at the same severities. Received ${of?.join(', ') ?? 'nothing'}.`,
      )
    return sum(values) / sum(of)
  })
  return sum(parts) / parts.length
}
