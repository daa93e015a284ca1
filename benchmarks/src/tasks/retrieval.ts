/**
 * Key-information retrieval in a context of noise, after table 2 and figure 6 of the differential transformer's paper
 * (arXiv 2410.05258), scaled down: several needles, several questions.
 *
 *     noise key value noise noise key value noise ... | key answer key answer ...
 */
import * as tf from '@tensorflow/tfjs-core'
import { createRandom, type LossFunction, type TrainingSetup } from '@tfgraft/core'
import { type SizedDataset, supervised } from '../supervised'
import type { Task } from '../task'
import { attentionSettings, smallLanguageModel } from './language-model'

/** Tokens: keys, then values, then noise. */
const keys = 16
const noise = 32
const vocabularySize = 2 * keys + noise
/** Tokens before the first question. */
const context = 64
const batchSize = 32

interface Haystack {
  needles: number
  /** At most as many as needles: no needle is asked for twice. */
  questions: number
}

const training: Haystack = { needles: 8, questions: 8 }

export const retrieval: Task<TrainingSetup> = {
  name: 'retrieval',
  title: 'Multi-needle retrieval, a transformer of two layers',
  kind: 'supervised',
  summary:
    'Pairs of a key and a value hide among 64 tokens of noise; then keys are asked for, and the value of each is to be named. Trained with 8 ' +
    'needles and 8 questions, 100 steps of 32 contexts per epoch, tested on 512 other contexts, also with fewer needles. Two transformer layers of 64 features and ' +
    '4 heads, rotary positions. Differential attention of version 1 has half the heads: the same number of parameters.',
  epochs: 10,
  epochTitle: '100 steps',
  metrics: [
    { name: 'accuracy', title: 'answers right, 8 needles', better: 'higher', format: 'percent' },
    { name: 'needles4', title: '4 needles', better: 'higher', format: 'percent' },
    { name: 'needles2', title: '2 needles', better: 'higher', format: 'percent' },
    { name: 'loss', title: 'test loss', better: 'lower' },
  ],
  settings: attentionSettings(
    { backprop: 0.003, 'diff-attention': 0.003, 'diff-attention-v2': 0.003 },
    [0.001, 0.003, 0.01],
    false,
  ),
  async load({ evaluateOn, limit = 3200 }) {
    const held = evaluateOn === 'test' ? 'test' : 'validation'
    const evaluation = haystacks(training, 16, held)
    return supervised({
      baseline: (hyperparameters) =>
        smallLanguageModel({ vocabularySize, numLayers: 2, loss: answerLoss }, hyperparameters),
      train: (seed) => haystacks(training, Math.ceil(limit / batchSize), `train ${seed}`, true),
      evaluation,
      metrics: { accuracy: answerAccuracy },
      measure: async ({ model }) => ({
        needles4: await accuracyOf(model, haystacks({ needles: 4, questions: 4 }, 16, held)),
        needles2: await accuracyOf(model, haystacks({ needles: 2, questions: 2 }, 16, held)),
      }),
    })
  },
}

/** The logits at the questions, `[batch, question, vocabulary]`: each question is a key, with its answer behind it. */
function atQuestions(answers: tf.Tensor, logits: tf.Tensor): tf.Tensor {
  const [batch, questions] = answers.shape as [number, number]
  const tail = tf.slice(logits, [0, context, 0], [batch, 2 * questions, vocabularySize])
  return tf.squeeze(
    tf.slice(tf.reshape(tail, [batch, questions, 2, vocabularySize]), [0, 0, 0, 0], [-1, -1, 1, -1]),
    [2],
  )
}

const answerLoss: LossFunction = (answers, logits) =>
  tf.losses.softmaxCrossEntropy(
    tf.oneHot(tf.cast(answers, 'int32'), vocabularySize),
    atQuestions(answers, logits),
  )

const answerAccuracy: LossFunction = (answers, logits) =>
  tf.mean(tf.cast(tf.equal(tf.argMax(atQuestions(answers, logits), -1), answers), 'float32'))

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

/** Batches of contexts `xs` int32 `[batch, context + 2 questions]` and answers `ys` `[batch, questions]`; `fresh`: other ones each epoch. */
function haystacks(haystack: Haystack, size: number, seed: string, fresh = false): SizedDataset {
  let epoch = 0
  return {
    size,
    async iterator() {
      const random = createRandom(seed).fork(fresh ? epoch++ : 0)
      let batch = 0
      return {
        async next() {
          if (batch++ === size) return { done: true, value: undefined }
          const drawn = Array.from({ length: batchSize }, () => draw(random, haystack))
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

function draw(
  random: ReturnType<typeof createRandom>,
  { needles, questions }: Haystack,
): { tokens: number[]; answers: number[] } {
  const asked = random.shuffle(Array.from({ length: keys }, (_, key) => key)).slice(0, needles)
  const values = asked.map(() => keys + random.integer(0, keys))
  // Places for pairs among the noise: where needle i starts, counted in tokens of noise before it.
  const gaps = Array.from({ length: needles }, () => random.integer(0, context - 2 * needles + 1)).sort(
    (a, b) => a - b,
  )
  const tokens: number[] = []
  for (const [i, gap] of gaps.entries()) {
    while (tokens.length < gap + 2 * i) tokens.push(2 * keys + random.integer(0, noise))
    tokens.push(asked[i]!, values[i]!)
  }
  while (tokens.length < context) tokens.push(2 * keys + random.integer(0, noise))
  const order = random.shuffle(asked.map((_, i) => i)).slice(0, questions)
  for (const i of order) tokens.push(asked[i]!, values[i]!)
  return { tokens, answers: order.map((i) => values[i]!) }
}
