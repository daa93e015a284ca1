/** What the tasks of small language models share: the model, and its loss over every next token. */
import * as tf from '@tensorflow/tfjs-core'
import { defaultStep, type LossFunction, type TrainingSetup } from '@tfgraft/core'
import { causalLanguageModel, multiHeadAttention } from '@tfgraft/diff-attention'
import type { Hyperparameters, MethodSettings } from '../task'

/** The attention methods and the baseline, with the same grid of learning rates for each. */
export function attentionSettings(
  chosen: Record<'backprop' | 'diff-attention' | 'diff-attention-v2', number>,
  learningRates: readonly number[],
  validated: boolean,
): Record<string, MethodSettings> {
  const grid = learningRates.map((learningRate) => ({ learningRate }))
  return Object.fromEntries(
    Object.entries(chosen).map(([method, learningRate]) => [
      method,
      { chosen: { learningRate }, grid, validated },
    ]),
  )
}

/** Mean cross entropy in nats: labels `[batch, length]`, logits `[batch, length, vocabulary]`. */
export const crossEntropy: LossFunction = (labels, logits) =>
  tf.losses.softmaxCrossEntropy(tf.oneHot(tf.cast(labels, 'int32'), logits.shape.at(-1)!), logits)

/** The share of tokens whose logit is the largest. */
export const accuracy: LossFunction = (labels, logits) =>
  tf.mean(tf.cast(tf.equal(tf.argMax(logits, -1), labels), 'float32'))

export interface SmallModel {
  vocabularySize: number
  numLayers: number
  /** Rotary, or learned up to a length. @default 'rotary' */
  positions?: 'rotary' | 'none' | { maxLength: number }
  loss?: LossFunction
}

/** A plain transformer of 64 features and 4 heads, trained by Adam. */
export function smallLanguageModel(
  { vocabularySize, numLayers, positions = 'rotary', loss = crossEntropy }: SmallModel,
  { learningRate }: Hyperparameters,
): TrainingSetup {
  return {
    model: causalLanguageModel({
      vocabularySize,
      dim: 64,
      numLayers,
      attention: () =>
        multiHeadAttention({
          numHeads: 4,
          causal: true,
          ...(positions === 'rotary' ? { rotary: 'interleaved' } : {}),
        }),
      feedForwardDim: 128,
      ...(typeof positions === 'object' ? positions : {}),
    }),
    optimizer: tf.train.adam(Number(learningRate)),
    loss,
    step: defaultStep,
  }
}
