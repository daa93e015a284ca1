/** Character language models, on "Moby-Dick" and on the user's own text: bits per character at equal parameters and steps. */
import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import type { TrainingSetup } from '@tfgraft/core'
import { CharacterText, mobyDick as loadMobyDick } from '@tfgraft/datasets'
import { UsageError } from '../choices'
import { supervised } from '../supervised'
import type { Task } from '../task'
import { accuracy, attentionSettings, crossEntropy, smallLanguageModel } from './language-model'

const length = 128
const batchSize = 16
/** Batches between two points of the curve. */
const epoch = 100

interface Source {
  name: string
  title: string
  /** What is trained and tested on, for the summary. */
  split: string
  read(): Promise<{ train: CharacterText; test: CharacterText }>
}

const characterTask = ({ name, title, split, read }: Source): Task<TrainingSetup> => ({
  name,
  title: `${title}, a transformer of three layers`,
  kind: 'supervised',
  summary:
    `Predict the next character: trained on ${split}. Windows of 128 characters, 16 ` +
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
    onProgress?.('reading the text')
    const whole = await read()
    const [train, held] = evaluateOn === 'test' ? [whole.train, whole.test] : whole.train.split(0.9)
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
})

export const mobyDick = characterTask({
  name: 'moby-dick',
  title: 'Characters of Moby-Dick',
  split: 'the first 90 % of the novel, tested on windows of its last 10 %',
  read: () => loadMobyDick(),
})

/** Least characters: the held-out tenth of the training part of a text must hold a window. */
const leastCharacters = 100 * length

/** The same on the file that the variable `TEXT_FILE` names. */
export const ownText = characterTask({
  name: 'own-text',
  title: 'Characters of a text of your own',
  split: 'the first 90 % of the text file that TEXT_FILE names, tested on windows of its last 10 %',
  async read() {
    const file = process.env.TEXT_FILE
    if (!file) throw new UsageError('own-text: TEXT_FILE must name a text file, in UTF-8.')
    const text = new CharacterText(readFileSync(file, 'utf8'))
    if (text.length < leastCharacters)
      throw new UsageError(
        `own-text: TEXT_FILE must hold at least ${leastCharacters} characters. Received ${text.length} in ${file}.`,
      )
    const [train, test] = text.split(0.9)
    return { train, test }
  },
})
