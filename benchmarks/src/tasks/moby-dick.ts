/** A character language model on "Moby-Dick": bits per character at equal parameters and steps. */
import * as tf from '@tensorflow/tfjs-core'
import type { TrainingSetup } from '@tfgraft/core'
import { type CharacterText, mobyDick as loadMobyDick } from '@tfgraft/datasets'
import { supervised } from '../supervised'
import type { Task } from '../task'
import { accuracy, attentionSettings, crossEntropy, smallLanguageModel } from './language-model'

const length = 128
const batchSize = 16
/** Batches between two points of the curve. */
const epoch = 100

export const mobyDick: Task<TrainingSetup> = {
  name: 'moby-dick',
  title: 'Characters of Moby-Dick, a transformer of three layers',
  kind: 'supervised',
  summary:
    'Predict the next character of the novel: trained on its first 90 %, tested on windows of its last 10 %. Windows of 128 characters, 16 ' +
    'per step, 100 steps per epoch; three transformer layers of 64 features and 4 heads, rotary positions. Differential attention of version ' +
    '1 has half the heads, so that all have the same number of parameters, but for version 2, whose queries are twice as many.',
  epochs: 8,
  epochTitle: '100-step epoch',
  metrics: [
    { name: 'bits', title: 'test bits per character', better: 'lower' },
    { name: 'accuracy', title: 'test accuracy', better: 'higher', format: 'percent' },
  ],
  settings: attentionSettings(
    { backprop: 0.003, 'diff-attention': 0.003, 'diff-attention-v2': 0.003 },
    [0.001, 0.003, 0.01],
    false,
  ),
  async load({ evaluateOn, limit, onProgress }) {
    onProgress?.('reading the novel')
    const novel = await loadMobyDick()
    const [train, held] = evaluateOn === 'test' ? [novel.train, novel.test] : novel.train.split(0.9)
    const vocabularySize = train.vocabulary.length
    const batches = limit === undefined ? epoch : Math.max(1, Math.floor(limit / batchSize))
    const windows = (text: CharacterText, seed: number, count: number) =>
      text.windows({ length, batchSize, batches: count, seed })
    return supervised({
      baseline: (hyperparameters) => smallLanguageModel({ vocabularySize, numLayers: 3 }, hyperparameters),
      train: (seed) => windows(train, seed, batches),
      evaluation: { iterator: () => windows(held, 0, 40).iterator() }, // the same windows each time
      metrics: {
        bits: (labels, logits) => tf.div(crossEntropy(labels, logits), Math.LN2),
        accuracy,
      },
    })
  },
}
