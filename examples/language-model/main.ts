/**
 * A differential transformer learns to write, one character after the other: from "Moby-Dick", or from a text of your own.
 *
 *     pnpm --filter @tfgraft/example-language-model start [--text my-text.txt]
 *         [--attention differential|differential-v2|plain] [--steps 600] [--prompt "The "] [--seed 1] [--tiny]
 *
 * Every hundred steps it tells the bits per character on the last tenth of the text, which it does not train on: less is better, and a
 * guess among all characters costs about 6.5. The folder `--save` names gets the trained model's weights as `model.safetensors`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { useBackend } from '@tfgraft/backends'
import { CharacterText, mobyDick } from '@tfgraft/datasets'
import {
  causalLanguageModel,
  differentialAttention,
  differentialAttentionV2,
  generate,
  multiHeadAttention,
  writeSafetensors,
} from '@tfgraft/diff-attention'

const { values: options } = parseArgs({
  options: {
    text: { type: 'string' },
    attention: { type: 'string', default: 'differential' },
    steps: { type: 'string', default: '600' },
    learningRate: { type: 'string', default: '0.003' },
    prompt: { type: 'string', default: 'The ' },
    seed: { type: 'string', default: '1' },
    save: { type: 'string' },
    tiny: { type: 'boolean', default: false },
  },
})
const [length, batchSize] = [128, 16]
const steps = options.tiny ? 10 : Number(options.steps)

// 1. The text, its last tenth held out. `pnpm --filter` changes folders: INIT_CWD is where you called it.
const fromHere = (path: string) => resolve(process.env.INIT_CWD ?? '.', path)
const read = (path: string) => {
  const [train, test] = new CharacterText(readFileSync(fromHere(path), 'utf8')).split(0.9)
  return { train, test }
}
const { train, test } = options.text === undefined ? await mobyDick() : read(options.text)
const vocabularySize = train.vocabulary.length
const prompt = [...train.encode(options.prompt)]

// 2. The model: three blocks of 64 features. Version 1 has half the heads of plain attention, and so as many parameters.
console.log(`backend: ${await useBackend('auto')}`)
const shared = { causal: true, rotary: 'interleaved' } as const
const attention = {
  differential: (depth: number) => differentialAttention({ ...shared, numHeads: 2, depth }),
  'differential-v2': () => differentialAttentionV2({ ...shared, numHeads: 4 }),
  plain: () => multiHeadAttention({ ...shared, numHeads: 4 }),
}[options.attention]
if (!attention)
  throw new Error(
    `--attention must be differential, differential-v2 or plain. Received ${options.attention}.`,
  )
const model = causalLanguageModel({ vocabularySize, dim: 64, numLayers: 3, feedForwardDim: 128, attention })
console.log(
  `${train.length} characters to train on, ${vocabularySize} different; ${model.countParams()} parameters`,
)

// 3. Training: the cross entropy of every next character.
const crossEntropy = (xs: tf.Tensor, ys: tf.Tensor) =>
  tf.losses.softmaxCrossEntropy(tf.oneHot(ys, vocabularySize), model.apply(xs) as tf.Tensor) as tf.Scalar
async function bitsPerCharacter(): Promise<number> {
  let [sum, batches] = [0, 0]
  for await (const { xs, ys } of test.windows({ length, batchSize, batches: 20, seed: 0 })) {
    sum += tf.tidy(() => crossEntropy(xs, ys).dataSync()[0]!) / Math.LN2
    batches++
    tf.dispose([xs, ys])
  }
  return sum / batches
}
const optimizer = tf.train.adam(Number(options.learningRate))
let step = 0
for await (const { xs, ys } of train.windows({
  length,
  batchSize,
  batches: steps,
  seed: Number(options.seed),
})) {
  optimizer.minimize(() => crossEntropy(xs, ys))
  tf.dispose([xs, ys])
  if (++step % 100 === 0 || step === steps)
    console.log(`step ${step}: ${(await bitsPerCharacter()).toFixed(2)} bits per character`)
}

// 4. It writes.
const written: number[] = []
for await (const token of generate(model, prompt, {
  maxTokens: 200,
  temperature: 0.8,
  topP: 0.9,
  seed: options.seed,
}))
  written.push(token)
console.log(`${options.prompt}${train.decode(written)}`)
if (options.save !== undefined) {
  const named = Object.fromEntries(model.weights.map((weight) => [weight.originalName, weight.read()]))
  writeFileSync(resolve(fromHere(options.save), 'model.safetensors'), writeSafetensors(named))
}
