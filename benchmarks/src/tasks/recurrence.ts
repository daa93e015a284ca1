/** A small language model on noisy recurrences, whose rule must be read off the context: the course's attention task. */

import * as tf from '@tensorflow/tfjs-core'
import { createRandom, defaultStep, type TrainingSetup } from '@tfgraft/core'
import { recurrenceSequences } from '@tfgraft/datasets'
import { causalLanguageModel, multiHeadAttention } from '@tfgraft/diff-attention'
import { type SizedDataset, supervised } from '../supervised'
import type { Hyperparameters, Task } from '../task'

const modulus = 7
/** Tokens that the model sees; sequences have one more. */
const length = 32
const batchSize = 64

export const recurrence: Task<TrainingSetup> = {
  name: 'recurrence',
  title: 'Noisy recurrences, a transformer of two layers',
  kind: 'supervised',
  summary:
    'Predict the next of numbers modulo 7 that follow a linear recurrence of order 2, with coefficients of its own for each sequence, in ' +
    'which one element in ten breaks the rule. 4,000 sequences of 33; two transformer layers of 64 features and 4 heads, learned ' +
    'positions. Differential attention starts from the same function as plain attention.',
  epochs: 5,
  metrics: [
    { name: 'accuracy', title: 'next-token accuracy', better: 'higher', format: 'percent' },
    { name: 'loss', title: 'test loss', better: 'lower' },
  ],
  settings: Object.fromEntries(
    ['backprop', 'diff-attention', 'diff-attention-v2'].map((method) => [
      method,
      {
        chosen: { learningRate: 0.003 },
        grid: [0.001, 0.003, 0.01].map((learningRate) => ({ learningRate })),
        validated: false,
      },
    ]),
  ),
  async load({ evaluateOn, limit = 4000, onProgress }) {
    onProgress?.('drawing sequences')
    const draw = (count: number, seed: number) =>
      recurrenceSequences({ count, length: length + 1, modulus, seed })
    const [train, held] = [draw(limit, 1), draw(500, evaluateOn === 'test' ? 2 : 3)]
    return supervised({
      baseline,
      train: (seed) => batches(train, seed),
      evaluation: batches(held),
      metrics: { accuracy },
    })
  },
}

const accuracy = (labels: tf.Tensor, logits: tf.Tensor): tf.Tensor =>
  tf.mean(tf.cast(tf.equal(tf.argMax(logits, -1), labels), 'float32'))

function baseline({ learningRate }: Hyperparameters): TrainingSetup {
  return {
    model: causalLanguageModel({
      vocabularySize: modulus,
      dim: 64,
      numLayers: 2,
      attention: () => multiHeadAttention({ numHeads: 4, causal: true }),
      feedForwardDim: 128,
      maxLength: length,
    }),
    optimizer: tf.train.adam(Number(learningRate)),
    loss: (labels, logits) =>
      tf.losses.softmaxCrossEntropy(tf.oneHot(tf.cast(labels, 'int32'), modulus), logits),
    step: defaultStep,
  }
}

/** Sequences in batches, `ys` one element later than `xs`; shuffled anew each epoch when there is a seed. */
function batches(sequences: Int32Array, seed?: number): SizedDataset {
  const width = length + 1
  const count = sequences.length / width
  let epoch = 0
  return {
    size: Math.ceil(count / batchSize),
    async iterator() {
      const stored = Array.from({ length: count }, (_, row) => row)
      const order = seed === undefined ? stored : createRandom(seed).fork(epoch++).shuffle(stored)
      let start = 0
      return {
        async next() {
          if (start >= count) return { done: true, value: undefined }
          const rows = order.slice(start, start + batchSize)
          start += batchSize
          const part = (from: number) =>
            tf.tensor2d(
              Int32Array.from(
                { length: rows.length * length },
                (_, i) => sequences[rows[Math.floor(i / length)]! * width + from + (i % length)]!,
              ),
              [rows.length, length],
              'int32',
            )
          return { done: false, value: { xs: part(0), ys: part(1) } }
        },
      }
    },
  }
}
