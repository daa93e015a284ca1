/** Rejects what attacks would accept in silence: images that clipping would destroy, labels that name no class. */
import * as tf from '@tensorflow/tfjs-core'

// Normalised images leave 0..1 by rounding, on the way there and back.
const ROUNDING = 1e-3

/** Images must be within the range that they are attacked in; `unit` are they on the scale 0..1. */
export function checkRange(name: string, unit: tf.Tensor, range = '`bounds`'): void {
  const [least, greatest] = tf.tidy(() => [tf.min(unit), tf.max(unit)].map((x) => x.dataSync()[0]!)) as [
    number,
    number,
  ]
  if (!(least >= -ROUNDING && greatest <= 1 + ROUNDING))
    throw new Error(
      `${name}: images must be within ${range}. Received values from ${least} to ${greatest} on the scale 0 to 1.`,
    )
}

/** Labels must be class indices `[batch]` or rows `[batch, classes]` for each image. */
export function checkLabels(name: string, labels: tf.Tensor, batch: number): void {
  if ((labels.rank !== 1 && labels.rank !== 2) || labels.shape[0] !== batch)
    throw new Error(
      `${name}: labels must be indices [batch] or one-hot [batch, classes] of ${batch} images. Received shape=[${labels.shape}].`,
    )
}

/** Indices must be below the number of classes, and rows that long. */
export function checkClasses(name: string, labels: tf.Tensor, classes: number): void {
  if (labels.rank === 2) {
    if (labels.shape[1] === classes) return
    throw new Error(
      `${name}: one-hot labels must have ${classes} classes, as the target has. Received shape=[${labels.shape}].`,
    )
  }
  const stray = labels.dataSync().find((label) => !(label >= 0 && label < classes))
  if (stray !== undefined)
    throw new Error(
      `${name}: labels must be indices below ${classes}, the number of classes. Received label=${stray}.`,
    )
}
