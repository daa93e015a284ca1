/**
 * Key-information retrieval in a context of noise, after table 2 and figure 6 of the differential transformer's paper
 * (arXiv 2410.05258), scaled down: several needles, several questions.
 *
 *     noise needle noise noise needle noise ... | question question ...
 *
 * A needle is one token that stands for a pair of a key and a value; a question is a key, its answer the value of that key's needle. So
 * one attention map can find it, if it tells needles from noise: with a token each for key and value, finding takes two layers, which
 * models of this size had not learned after 800 steps.
 */
import * as tf from '@tensorflow/tfjs-core'
import { createRandom, type LossFunction, type Random, type TrainingSetup } from '@tfgraft/core'
import { type SizedDataset, supervised } from '../supervised'
import type { Task } from '../task'
import { attentionSettings, smallLanguageModel } from './language-model'

/** Tokens: questions, one per key; then needles, one per key and value; then noise. */
const keys = 16
const values = 8
const noise = 32
const firstNoise = keys + keys * values
const vocabularySize = firstNoise + noise
const batchSize = 32
/** Needles in a context, and questions behind it: each is asked for. */
const needles = 8
/** Tokens before the first question: while training, and of the tests. */
const context = 64
const longer = [256, 1024]

export const retrieval: Task<TrainingSetup> = {
  name: 'retrieval',
  title: 'Multi-needle retrieval, a transformer of two layers',
  kind: 'supervised',
  summary:
    'Eight tokens that pair a key and a value hide among noise, 64 tokens in all; then the keys are asked for, and the value of each is to ' +
    'be named. Trained for 100 steps of 32 contexts per epoch; tested on 512 contexts, and on 64 of 256 and of 1,024 tokens, with 4 and ' +
    '18 times as much noise. Two transformer layers of 64 features and 4 heads, without positions. Differential attention of ' +
    'version 1 has half the heads: the same number of parameters.',
  epochs: 3,
  epochTitle: '100-step epoch',
  metrics: [
    { name: 'accuracy', title: 'answers right, 64 tokens', better: 'higher', format: 'percent' },
    ...longer.map((tokens) => ({
      name: `context${tokens}`,
      title: `${tokens} tokens`,
      better: 'higher' as const,
      format: 'percent' as const,
    })),
    { name: 'loss', title: 'test loss', better: 'lower' },
  ],
  settings: attentionSettings(
    { backprop: 0.003, 'diff-attention': 0.003, 'diff-attention-v2': 0.003 },
    [0.001, 0.003, 0.01],
    false,
  ),
  async load({ evaluateOn, limit = 3200 }) {
    const held = evaluateOn === 'test' ? 'test' : 'validation'
    return supervised({
      baseline: (hyperparameters) =>
        smallLanguageModel(
          { vocabularySize, numLayers: 2, positions: 'none', loss: answerLoss },
          hyperparameters,
        ),
      train: (seed) => haystacks(context, Math.ceil(limit / batchSize), `train ${seed}`, true),
      evaluation: haystacks(context, 16, held),
      metrics: { accuracy: answerAccuracy },
      measure: async ({ model }) => {
        const right: Record<string, number> = {}
        for (const tokens of longer)
          right[`context${tokens}`] = await accuracyOf(model, haystacks(tokens, 2, held))
        return right
      },
    })
  },
}

/** The logits at the questions, the last tokens: `[batch, question, vocabulary]`. */
const atQuestions = (logits: tf.Tensor): tf.Tensor =>
  tf.slice(logits, [0, logits.shape[1]! - needles, 0], [-1, needles, vocabularySize])

const answerLoss: LossFunction = (answers, logits) =>
  tf.losses.softmaxCrossEntropy(tf.oneHot(tf.cast(answers, 'int32'), vocabularySize), atQuestions(logits))

const answerAccuracy: LossFunction = (answers, logits) =>
  tf.mean(tf.cast(tf.equal(tf.argMax(atQuestions(logits), -1), answers), 'float32'))

async function accuracyOf(model: TrainingSetup['model'], batches: SizedDataset): Promise<number> {
  let sum = 0
  const iterator = await batches.iterator()
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    const { xs, ys } = next.value as { xs: tf.Tensor; ys: tf.Tensor }
    const right = tf.tidy(() => answerAccuracy(ys, model.predict(xs) as tf.Tensor))
    sum += (await right.data())[0]!
    tf.dispose([xs, ys, right])
  }
  return sum / batches.size
}

/** Batches of contexts `xs` int32 `[batch, context + needles]` and answers `ys` `[batch, needles]`; `fresh`: other ones each epoch. */
function haystacks(context: number, size: number, seed: string, fresh = false): SizedDataset {
  let epoch = 0
  return {
    size,
    async iterator() {
      const random = createRandom(seed).fork(fresh ? epoch++ : 0)
      let batch = 0
      return {
        async next() {
          if (batch++ === size) return { done: true, value: undefined }
          const drawn = Array.from({ length: batchSize }, () => draw(random, context))
          const tensor = (rows: number[][]) => tf.tensor2d(rows.flat(), [batchSize, rows[0]!.length], 'int32')
          return {
            done: false,
            value: { xs: tensor(drawn.map(({ tokens }) => tokens)), ys: tensor(drawn.map((x) => x.answers)) },
          }
        },
      }
    },
  }
}

function draw(random: Random, context: number): { tokens: number[]; answers: number[] } {
  const some = (count: number) => random.shuffle(Array.from({ length: count }, (_, i) => i)).slice(0, needles)
  const [asked, places] = [some(keys), some(context)]
  const answers = asked.map(() => random.integer(0, values))
  const tokens = Array.from({ length: context }, () => firstNoise + random.integer(0, noise))
  for (const [i, place] of places.entries()) tokens[place] = keys + asked[i]! * values + answers[i]!
  return { tokens: [...tokens, ...asked], answers }
}
