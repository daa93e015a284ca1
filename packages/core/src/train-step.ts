/**
 * One training step, in the three pieces that methods recombine: run the model, measure its loss, minimise.
 * The same arithmetic as `model.fit` of tfjs, so that a baseline trained here is the baseline that users know.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { LossFunction, StepOutput, TrainingSetup, TrainStep } from './method'

const list = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T])

export interface ForwardOptions {
  /** Whether dropout drops, batch normalisation normalises by the batch, and so on. @default false */
  training?: boolean
}

/**
 * The outputs of a model, always as an array, in training or in inference mode, and differentiable.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs'
 * import { forward } from '@tfgraft/core'
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3] })] })
 * const [predictions] = forward(model, tf.ones([4, 3]), { training: true })
 * console.log(predictions.shape) // [4, 2]
 * ```
 */
export function forward(
  model: LayersModel,
  xs: tf.Tensor | tf.Tensor[],
  { training = false }: ForwardOptions = {},
): tf.Tensor[] {
  const inputs = list(xs)
  if (inputs.length !== model.inputs.length)
    throw new Error(
      `forward: ${model.name} has ${model.inputs.length} inputs. Received ${inputs.length} tensors.`,
    )
  return [...list(model.apply([...inputs], { training }) as tf.Tensor | tf.Tensor[])]
}

/**
 * The loss of predictions, averaged over the examples and summed over the outputs.
 *
 * @param loss One loss for all outputs, or one per output.
 * @param ys One tensor of labels per output.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs'
 * import { dataLoss } from '@tfgraft/core'
 *
 * const loss = dataLoss(tf.metrics.meanSquaredError, tf.zeros([2, 3]), [tf.ones([2, 3])])
 * console.log(loss.dataSync()[0]) // 1
 * ```
 */
export function dataLoss(
  loss: LossFunction | LossFunction[],
  ys: tf.Tensor | tf.Tensor[],
  predictions: tf.Tensor[],
): tf.Scalar {
  const labels = list(ys)
  if (labels.length !== predictions.length)
    throw new Error(
      `dataLoss: the model has ${predictions.length} outputs. Received labels for ${labels.length}.`,
    )
  if (Array.isArray(loss) && loss.length !== predictions.length)
    throw new Error(`dataLoss: the model has ${predictions.length} outputs. Received ${loss.length} losses.`)
  const losses = predictions.map((prediction, i) => {
    const lossOfOutput = Array.isArray(loss) ? loss[i]! : loss
    return tf.mean(lossOfOutput(labels[i]!, prediction))
  })
  return (losses.length === 1 ? losses[0]! : tf.addN(losses)) as tf.Scalar
}

/**
 * Minimises an objective by one step of the setup's optimizer over the model's trainable weights (those of frozen
 * layers are left alone). The regularisation losses of the layers are added, once, to the loss of the objective.
 * This is what a method's own step calls with its own objective.
 *
 * @param objective Returns the loss and the predictions for the batch's own examples; called once.
 * @returns The minimised loss and the predictions. The caller disposes them.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs'
 * import { dataLoss, forward, minimize, type TrainStep } from '@tfgraft/core'
 *
 * // A step with label smoothing, for any model.
 * const smoothed: TrainStep = (setup, { xs, ys }) =>
 *   minimize(setup, () => {
 *     const predictions = forward(setup.model, xs, { training: true })
 *     const smooth = [ys].flat().map((y) => tf.add(tf.mul(y, 0.9), 0.1 / y.shape.at(-1)!))
 *     return { loss: dataLoss(setup.loss, smooth, predictions), predictions }
 *   })
 * ```
 */
export function minimize(setup: TrainingSetup, objective: () => StepOutput): StepOutput {
  const { model, optimizer } = setup
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable)
  if (variables.length === 0)
    throw new Error(`minimize: the model must have trainable weights. Received ${model.name} with none.`)
  let predictions: tf.Tensor[] = []
  try {
    const loss = optimizer.minimize(
      () => {
        const { loss, predictions: kept } = objective()
        predictions = kept.map((tensor) => tf.keep(tensor))
        const penalties = model.calculateLosses()
        return penalties.length ? (tf.addN([loss, ...penalties]) as tf.Scalar) : loss
      },
      true,
      variables,
    )!
    return { loss, predictions }
  } catch (error) {
    tf.dispose(predictions)
    throw error
  }
}

/**
 * The plain training step: forward in training mode, the setup's loss plus regularisation, one optimizer step.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs'
 * import { defaultStep, type TrainingSetup } from '@tfgraft/core'
 *
 * const setup: TrainingSetup = {
 *   model: tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] }),
 *   optimizer: tf.train.sgd(0.1),
 *   loss: tf.metrics.meanSquaredError,
 *   step: defaultStep,
 * }
 * const batch = { xs: tf.ones([4, 2]), ys: tf.zeros([4, 1]) }
 * const { loss, predictions } = setup.step(setup, batch, { epoch: 0, step: 0, seed: 1 })
 * console.log(loss.dataSync()[0], predictions[0].shape) // the loss before the step, [4, 1]
 * ```
 */
export const defaultStep: TrainStep = (setup, { xs, ys }) =>
  minimize(setup, () => {
    const predictions = forward(setup.model, xs, { training: true })
    return { loss: dataLoss(setup.loss, ys, predictions), predictions }
  })
