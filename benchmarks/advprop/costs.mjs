/**
 * What AdvProp and SparseTopK cost: steps of each method next to the plain step, and the SparseTopK kernel next to the
 * composition of tf ops that it replaces.
 *
 *     node benchmarks/advprop/costs.mjs [--rounds 15] [--out benchmarks/results/committed/advprop-costs.json]
 *
 * With `--out` it also writes the tables of the README of `packages/advprop`.
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
import { topKComposition } from './composition.mjs'
import { baseline, methods, oneStep } from './network.mjs'
import { table, writeBlock } from './readme.mjs'

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    rounds: { type: 'string', default: '15' },
    width: { type: 'string', default: '32' },
  },
})
const backend = await useBackend('wasm')
const rounds = Number(values.rounds)
const width = Number(values.width)

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
  const setup = method.apply(baseline(1, { width }))
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
  'fastAdvProp, every fifth image': step(all.fastAdvProp),
  'advprop without an attack': step(noAttack),
  sparseTopK: step(all.sparseTopK),
})

const x = tf.randomNormal([32, 32, 32, 64], 0, 1, 'float32', 1)
const layers = Object.fromEntries(
  ['count', 'quantile'].map((convention) => [convention, sparseTopKLayer({ k: 0.2, convention })]),
)
const sparse = compare({
  'tf.topk composition': () => topKComposition(x, 0.2).dispose(),
  'kernel, count': () => layers.count.apply(x).dispose(),
  'kernel, quantile': () => layers.quantile.apply(x).dispose(),
  'one pass (x + 1)': () => tf.add(x, 1).dispose(),
})

// Forward passes: 1, gradients to all weights 2 more, to the input alone 1 more.
const byOperations = {
  'advprop, 1 iteration': 8 / 3,
  'advprop, 5 iterations': 16 / 3,
  'fastAdvProp, every fifth image': 6 / 5,
}
const stepRows = Object.entries(steps).map(([name, { ms, ratio }]) => [
  ...[name, ms.toFixed(1), ratio.toFixed(2), byOperations[name]?.toFixed(2) ?? ''],
])
const sparseRows = Object.entries(sparse).map(([name, { ms, ratio }]) => [
  name,
  ms.toFixed(2),
  ratio.toFixed(3),
])
const tables = [
  table(
    [
      `a training step, ResNet of ${width} and ${2 * width} channels, batch 64`,
      'CPU ms',
      'by the plain step',
      'by operations',
    ],
    stepRows,
  ),
  table(['SparseTopK, 32 x 32 x 32 x 64, k 0.2', 'CPU ms', 'by the composition'], sparseRows),
].join('\n\n')
console.log(tables)
if (values.out) {
  const written = { environment: environment(backend), unit: 'ms of CPU time, median', rounds, steps, sparse }
  writeFileSync(values.out, `${JSON.stringify(written, null, 1)}\n`)
  writeBlock('costs', tables)
}
