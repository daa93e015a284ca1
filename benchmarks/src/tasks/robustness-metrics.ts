/** What the tasks about robustness measure beside accuracy, on images and one-hot labels. */
import * as tf from '@tensorflow/tfjs-core'
import { metrics } from '@tensorflow/tfjs-layers'
import { corrupt, corruptions, type PgdOptions, pgd } from '@tfgraft/advprop'
import type { TrainingSetup } from '@tfgraft/core'

type Model = TrainingSetup['model']

export interface LabelledTensors {
  xs: tf.Tensor
  ys: tf.Tensor
}

/** The part of images that the model gets right after `change`. */
async function accuracyOf(
  model: Model,
  { xs, ys }: LabelledTensors,
  change: (xs: tf.Tensor) => tf.Tensor,
): Promise<number> {
  const accuracy = tf.tidy(() => {
    const predictions = model.apply(change(xs), { training: false }) as tf.Tensor
    return tf.mean(metrics.categoricalAccuracy(ys, predictions))
  })
  const [value] = await accuracy.data()
  accuracy.dispose()
  return value!
}

/** Accuracy under projected gradient descent against the model itself. */
export const accuracyUnderAttack = (model: Model, data: LabelledTensors, attack: PgdOptions) =>
  accuracyOf(model, data, (xs) => pgd(model, xs, data.ys, attack))

/** Makes the fifteen corruptions of the images once; the result measures a model's mean accuracy on them. */
export function corruptedAccuracy({ xs, ys }: LabelledTensors) {
  const changed = corruptions.map((kind) => corrupt(xs as tf.Tensor4D, kind, 3, { seed: 1 }))
  return {
    async of(model: Model): Promise<number> {
      let sum = 0
      for (const images of changed) sum += await accuracyOf(model, { xs: images, ys }, (same) => same)
      return sum / changed.length
    },
    dispose: () => tf.dispose(changed),
  }
}
