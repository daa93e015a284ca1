/** What can be attacked, and how its outputs become logits. */
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'

/** A GraphModel, or anything else that predicts logits from images by differentiable tf ops. */
export interface Predictor {
  predict(images: tf.Tensor): unknown
}

/**
 * Anything differentiable from images to class scores: a function or a GraphModel that gives logits, or a
 * LayersModel, which runs in inference mode and whose final softmax, where it has one, is undone by a logarithm.
 */
export type AttackTarget = tfl.LayersModel | Predictor | ((images: tf.Tensor) => tf.Tensor)

/** Makes adversarial images of the images' shape. The caller disposes them. */
export type Attack = (target: AttackTarget, images: tf.Tensor, labels: tf.Tensor) => tf.Tensor

// Added before the logarithm of probabilities: the least normal float32, so that log(0) is -87 and not -Infinity.
const TINY = 1.2e-38

/** A target, resolved: both functions run it in inference mode. */
export interface Classifier {
  /** What the target itself puts out: `[batch, classes]`. */
  outputs(images: tf.Tensor): tf.Tensor
  /** `[batch, classes]`, up to a constant per row. */
  logits(images: tf.Tensor): tf.Tensor2D
}

/** Whether a model's output is a softmax. */
function endsInSoftmax(model: tfl.LayersModel): boolean {
  const last = model.outputs[0]!.sourceLayer
  if (last instanceof tfl.LayersModel) return endsInSoftmax(last)
  return last.getClassName() === 'Softmax' || last.getConfig().activation === 'softmax'
}

export function classifierOf(target: AttackTarget): Classifier {
  let run: (images: tf.Tensor) => unknown
  if (typeof target === 'function') run = target
  else if (target instanceof tfl.LayersModel) run = (images) => target.apply(images, { training: false })
  else run = (images) => target.predict(images)
  const outputs = (images: tf.Tensor) => {
    const output = run(images)
    if (!(output instanceof tf.Tensor) || output.rank !== 2)
      throw new Error(
        'attack: the target must have one output [batch, classes]. ' +
          `Received ${output instanceof tf.Tensor ? `shape=[${output.shape}]` : 'several outputs'}.`,
      )
    return output as tf.Tensor2D
  }
  if (!(target instanceof tfl.LayersModel && endsInSoftmax(target))) return { outputs, logits: outputs }
  return { outputs, logits: (images) => tf.log(tf.add(outputs(images), TINY)) as tf.Tensor2D }
}

/** Labels as rows of ones and zeros: from class indices `[batch]`, or as they are from `[batch, classes]`. */
export function oneHotLabels(labels: tf.Tensor, classes: number): tf.Tensor2D {
  if (labels.rank === 2) return labels as tf.Tensor2D
  return tf.cast(
    tf.oneHot(tf.cast(labels as tf.Tensor1D, 'int32'), classes, 1, 0, 'int32'),
    'float32',
  ) as tf.Tensor2D
}

/** 1 where the label has the largest logit, else 0: `[batch]`. */
export function correct(logits: tf.Tensor2D, labels: tf.Tensor): tf.Tensor1D {
  return tf.tidy(() => {
    const truth = labels.rank === 2 ? tf.argMax(labels, 1) : labels
    return tf.cast(tf.equal(tf.argMax(logits, 1), tf.cast(truth, 'int32')), 'float32') as tf.Tensor1D
  })
}
