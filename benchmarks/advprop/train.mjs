/**
 * Trains the small ResNet with each method and seed, and stores the weights for `evaluate.mjs`.
 *
 *     node benchmarks/advprop/train.mjs --data fashion-mnist [--seeds 5] [--epochs 3] [--count 20000] [--methods plain,advprop]
 *
 * A model that is already stored is not trained again. Run `pnpm build` first.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { dropAuxiliary } from '@tfgraft/advprop'
import { useBackend } from '@tfgraft/backends'
import { fashionMnist, mnist } from '@tfgraft/datasets'
import { budgets, weightsFile } from './experiment.mjs'
import { baseline, methods } from './network.mjs'

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: 'fashion-mnist' },
    seeds: { type: 'string', default: '5' },
    epochs: { type: 'string', default: '3' },
    count: { type: 'string', default: '20000' },
    methods: { type: 'string', default: 'plain,advprop,fastAdvProp,sparseTopK' },
  },
})
await useBackend('wasm')
const { train } = await { 'fashion-mnist': fashionMnist, mnist }[values.data]()
const epochs = Number(values.epochs)

for (let seed = 1; seed <= Number(values.seeds); seed++)
  for (const name of values.methods.split(',')) {
    const file = weightsFile(values.data, name, seed)
    if (existsSync(file)) continue
    const setup = methods(budgets[values.data])[name].apply(baseline(seed))
    const start = performance.now()
    const batches = train
      .shuffle(seed)
      .take(Number(values.count))
      .batches({ batchSize: 64, shuffle: seed, dropRemainder: true })
    let step = 0
    for (let epoch = 0; epoch < epochs; epoch++) {
      let sum = 0
      for await (const batch of batches) {
        const { loss, predictions } = setup.step(setup, batch, { epoch, step, seed: seed * 100_000 + step })
        sum += loss.dataSync()[0]
        tf.dispose([loss, predictions, batch])
        step++
      }
      console.log(
        `${values.data} ${name} seed ${seed} epoch ${epoch + 1}: loss ${(sum / batches.size).toFixed(4)}`,
      )
    }
    const seconds = (performance.now() - start) / 1000
    const model = dropAuxiliary(setup.model)
    mkdirSync(new URL('.', file), { recursive: true })
    const weights = Object.fromEntries(model.weights.map((w) => [w.originalName, [...w.read().dataSync()]]))
    writeFileSync(file, JSON.stringify({ epochs, count: Number(values.count), seconds, weights }))
    console.log(`${values.data} ${name} seed ${seed}: ${seconds.toFixed(0)} s`)
    model.dispose()
  }
