/**
 * A small language model on noisy recurrences, whose rule must be read off the context: the course's attention task. Besides the mean
 * accuracy, results hold that of each position: it should rise as the context tells more of the rule.
 */

import * as tf from '@tensorflow/tfjs-core'
import { createRandom, type TrainingSetup } from '@tfgraft/core'
import { recurrenceSequences } from '@tfgraft/datasets'
import { type SizedDataset, supervised } from '../supervised'
import type { Task } from '../task'
import { accuracy, attentionSettings, smallLanguageModel } from './language-model'

const modulus = 7
/** Tokens that the model sees; sequences have one more. */
const length = 63
const batchSize = 128

export const recurrence: Task<TrainingSetup> = {
  name: 'recurrence',
  title: 'Noisy recurrences, a transformer of four layers',
  kind: 'supervised',
  summary:
    'Predict the next of numbers modulo 7 that follow a linear recurrence of order 2, with coefficients of its own for each sequence, in ' +
    'which one element in ten breaks the rule. 10,000 sequences of 64, 1,000 to test; four transformer layers of 64 features and 4 heads, ' +
    'learned positions. Differential attention of version 1 has half the heads: the same number of parameters.',
  epochs: 8,
  metrics: [
    { name: 'accuracy', title: 'next-token accuracy', better: 'higher', format: 'percent' },
    { name: 'loss', title: 'test loss', better: 'lower' },
  ],
  target: 0.75,
  settings: attentionSettings(
    { backprop: 0.003, 'diff-attention': 0.003, 'diff-attention-v2': 0.003 },
    [0.001, 0.003, 0.01],
    false,
  ),
  async load({ evaluateOn, limit = 10_000, onProgress }) {
    onProgress?.('drawing sequences')
    const draw = (count: number, seed: number) =>
      recurrenceSequences({ count, length: length + 1, modulus, seed })
    const [train, held] = [draw(limit, 1), draw(Math.min(1000, limit), evaluateOn === 'test' ? 2 : 3)]
    return supervised({
      baseline: (hyperparameters) =>
        smallLanguageModel(
          { vocabularySize: modulus, numLayers: 4, positions: { maxLength: length } },
          hyperparameters,
        ),
      train: (seed) => batches(train, seed),
      evaluation: batches(held),
      metrics: { accuracy },
      measure: ({ model }) => accuracyByPosition(model, batches(held)),
    })
  },
}

/** `position 1`: the share of right predictions of the element at index 1, and so on. */
async function accuracyByPosition(
  model: TrainingSetup['model'],
  held: SizedDataset,
): Promise<Record<string, number>> {
  const right = new Float64Array(length)
  let count = 0
  const iterator = await held.iterator()
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    const { xs, ys } = next.value as { xs: tf.Tensor2D; ys: tf.Tensor2D }
    const sums = tf.tidy(() => {
      const predicted = tf.argMax(model.predict(xs) as tf.Tensor, -1)
      return tf.sum(tf.cast(tf.equal(predicted, ys), 'float32'), 0)
    })
    for (const [position, sum] of (await sums.data()).entries()) right[position]! += sum
    count += xs.shape[0]
    tf.dispose([xs, ys, sums])
  }
  return Object.fromEntries(Array.from(right, (sum, position) => [`position ${position + 1}`, sum / count]))
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
