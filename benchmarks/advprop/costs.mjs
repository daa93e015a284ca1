/**
 * What AdvProp and SparseTopK cost: steps of each method next to the plain step, and the SparseTopK kernel next to the
 * composition of tf ops that it replaces.
 *
 *     node benchmarks/advprop/costs.mjs [--rounds 15] [--out benchmarks/results/committed/advprop-costs.json]
 *
 * Contenders take turns in one process; ratios are medians over rounds of the time in a round by that of the baseline
 * in the same round. Run `pnpm build` first.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { advprop, sparseTopKLayer } from '@tfgraft/advprop'
import { useBackend } from '@tfgraft/backends'
import { environment, median } from '@tfgraft/bench/measure'
import { baseline, methods, oneStep } from './network.mjs'

const { values } = parseArgs({
  options: { out: { type: 'string' }, rounds: { type: 'string', default: '15' } },
})
const backend = await useBackend('wasm')
const rounds = Number(values.rounds)

/** Milliseconds of CPU time of this process: a busy machine changes it less than it changes the clock. */
const cpuTime = (body) => {
  const before = process.cpuUsage()
  body()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** Runs the contenders in turns and relates each to the first. */
function compare(contenders) {
  const names = Object.keys(contenders)
  const times = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = -2; round < rounds; round++)
    for (const name of names) {
      const time = cpuTime(contenders[name])
      if (round >= 0) times[name].push(time)
    }
  return Object.fromEntries(
    names.map((name) => [
      name,
      { ms: median(times[name]), ratio: median(times[name].map((time, i) => time / times[names[0]][i])) },
    ]),
  )
}

const [xs, ys] = [
  tf.randomUniform([64, 28, 28, 1], 0, 1, 'float32', 1),
  tf.cast(
    tf.oneHot(
      tf.tensor1d(
        Array.from({ length: 64 }, (_, i) => i % 10),
        'int32',
      ),
      10,
    ),
    'float32',
  ),
]
const step = (method) => {
  const setup = method.apply(baseline(1))
  return () => {
    const { loss, predictions } = setup.step(setup, { xs, ys }, { epoch: 0, step: 0, seed: 1 })
    loss.dataSync()
    tf.dispose([loss, predictions])
  }
}
const all = methods(8 / 255)
const noAttack = advprop({ adversarialWeight: 0, attack: (_, x) => tf.clone(x) })
const steps = compare({
  plain: step(all.plain),
  'advprop, 1 iteration': step(all.advprop),
  'advprop, 5 iterations': step(advprop({ attack: { ...oneStep(8 / 255), iterations: 5 } })),
  'fastAdvProp, 4 : 1': step(all.fastAdvProp),
  'advprop without an attack': step(noAttack),
  sparseTopK: step(all.sparseTopK),
})

/** The course's composition: sort |x| by tf.topk, compare, multiply. */
const composed = (x, k) =>
  tf.tidy(() => {
    const [n, h, w, c] = x.shape
    const planes = tf.transpose(tf.reshape(tf.abs(x), [n, h * w, c]), [0, 2, 1])
    const { values: largest } = tf.topk(planes, Math.max(1, Math.floor(k * h * w)))
    const threshold = tf.slice(largest, [0, 0, largest.shape[2] - 1], [-1, -1, 1])
    const mask = tf.transpose(tf.cast(tf.greaterEqual(planes, threshold), 'float32'), [0, 2, 1])
    return tf.mul(x, tf.reshape(mask, x.shape))
  })
const x = tf.randomNormal([32, 32, 32, 64], 0, 1, 'float32', 1)
const layers = Object.fromEntries(
  ['count', 'quantile'].map((convention) => [convention, sparseTopKLayer({ k: 0.2, convention })]),
)
const sparse = compare({
  'tf.topk composition': () => composed(x, 0.2).dispose(),
  'kernel, count': () => layers.count.apply(x).dispose(),
  'kernel, quantile': () => layers.quantile.apply(x).dispose(),
  'one pass (x + 1)': () => tf.add(x, 1).dispose(),
})

for (const [title, rows] of Object.entries({
  'steps: small ResNet, batch 64': steps,
  'SparseTopK: 32x32x32x64, k 0.2': sparse,
})) {
  console.log(title)
  for (const [name, { ms, ratio }] of Object.entries(rows))
    console.log(`  ${name.padEnd(28)} ${ms.toFixed(1).padStart(9)} ms  ${ratio.toFixed(3)}`)
}
if (values.out)
  writeFileSync(
    values.out,
    `${JSON.stringify({ environment: environment(backend), unit: 'ms of CPU time, median', rounds, steps, sparse }, null, 1)}\n`,
  )
