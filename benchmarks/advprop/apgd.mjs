/**
 * Auto-PGD next to PGD with 40 steps, on the trained models of `robustness.mjs`: accuracy under each, the less the stronger.
 *
 *     node benchmarks/advprop/apgd.mjs [--method plain] [--count 100] [--out file.json]
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { apgd, dropAuxiliary, pgd } from '@tfgraft/advprop'
import { useBackend } from '@tfgraft/backends'
import { environment } from '@tfgraft/bench/measure'
import { fashionMnist } from '@tfgraft/datasets'
import { budgets, weightsFile } from './experiment.mjs'
import { baseline, methods } from './network.mjs'

const { values } = parseArgs({
  options: {
    method: { type: 'string', default: 'plain' },
    count: { type: 'string', default: '100' },
    out: { type: 'string' },
  },
})
const backend = await useBackend('wasm')
const data = 'fashion-mnist'
const epsilon = budgets[data] / 2
const { test } = await fashionMnist()
const { xs, ys } = test.shuffle(98).take(Number(values.count)).tensors({ labels: 'index' })
const rows = []
for (let seed = 1; seed <= 20; seed++) {
  if (!existsSync(weightsFile(data, values.method, seed))) continue
  const stored = JSON.parse(readFileSync(weightsFile(data, values.method, seed), 'utf8'))
  const model = dropAuxiliary(methods(budgets[data])[values.method].apply(baseline(seed)).model)
  model.setWeights(model.weights.map((w, i) => tf.tensor(stored[i], w.shape)))
  const accuracy = (attack) =>
    tf.tidy(
      () => tf.mean(tf.cast(tf.equal(tf.argMax(model.predict(attack()), 1), ys), 'float32')).dataSync()[0],
    )
  const row = {
    seed,
    pgd40: accuracy(() => pgd(model, xs, ys, { epsilon, iterations: 40 })),
    apgd: accuracy(() => apgd(model, xs, ys, { epsilon, iterations: 40 })),
    apgdOneStart: accuracy(() => apgd(model, xs, ys, { epsilon, iterations: 40, restarts: 1 })),
  }
  rows.push(row)
  console.log(JSON.stringify(row))
  model.dispose()
}
if (!rows.length)
  throw new Error('no stored weights: run robustness.mjs first, for seeds that it has not measured yet')
if (values.out)
  writeFileSync(
    values.out,
    `${JSON.stringify({ environment: environment(backend), data, ...values, epsilon, rows }, null, 1)}\n`,
  )
