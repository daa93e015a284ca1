/**
 * SparseTopK on WebGPU: its kernel next to one pass over memory (x + 1), and to the composition of tf ops that it replaces.
 *
 *     node benchmarks/advprop/sparse-on-gpu.mjs [--runs 50] [--out file.json]
 *
 * Needs a GPU to mean anything. A round issues `--runs` operations and waits for the last; contenders take turns.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { sparseTopKLayer } from '@tfgraft/advprop'
import { useBackend } from '@tfgraft/backends'
import { environment, median } from '@tfgraft/bench/measure'
import { topKComposition } from './composition.mjs'

const { values } = parseArgs({
  options: { out: { type: 'string' }, runs: { type: 'string', default: '50' } },
})
const backend = await useBackend('webgpu')
const runs = Number(values.runs)
const ROUNDS = 9

const x = tf.randomNormal([32, 32, 32, 64], 0, 1, 'float32', 1)
const layer = (convention) => sparseTopKLayer({ k: 0.2, convention })
const [count, quantile] = ['count', 'quantile'].map(layer)
const contenders = {
  'one pass (x + 1)': () => tf.add(x, 1),
  'kernel, count': () => count.apply(x),
  'kernel, quantile': () => quantile.apply(x),
  'tf.topk composition': () => topKComposition(x, 0.2),
}

async function time(body) {
  const start = performance.now()
  for (let i = 1; i < runs; i++) body().dispose()
  const last = body()
  const one = tf.slice(last, [0, 0, 0, 0], [1, 1, 1, 1]) // waits for all, reads little
  await one.data()
  tf.dispose([last, one])
  return (performance.now() - start) / runs
}

const times = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
for (let round = -2; round < ROUNDS; round++)
  for (const [name, body] of Object.entries(contenders)) {
    const ms = await time(body)
    if (round >= 0) times[name].push(ms)
  }
const pass = times['one pass (x + 1)']
const rows = Object.fromEntries(
  Object.entries(times).map(([name, of]) => [
    name,
    { ms: median(of), passes: median(of.map((ms, i) => ms / pass[i])) },
  ]),
)
for (const [name, { ms, passes }] of Object.entries(rows))
  console.log(`${name.padEnd(22)} ${ms.toFixed(3).padStart(9)} ms  ${passes.toFixed(2)} passes`)
if (values.out)
  writeFileSync(
    values.out,
    `${JSON.stringify({ environment: environment(backend), unit: 'ms, median', runs, rows }, null, 1)}\n`,
  )
