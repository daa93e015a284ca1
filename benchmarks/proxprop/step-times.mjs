/**
 * Time of one training step with proximal layers, next to the plain step: same net, same batch, same optimizer.
 *
 *     node benchmarks/proxprop/step-times.mjs [--out file.json] [--rounds 40]
 *
 * All contenders take turns in one process, so that what slows the machine for a while slows all of them; the ratio
 * is the median over rounds. Milliseconds are CPU time of the process, which other work on the machine distorts less
 * than wall time; on an idle machine the two agree. Run `pnpm build` first.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { useBackend } from '@tfgraft/backends'
import { environment, median, quantile } from '@tfgraft/bench/measure'
import { defaultStep } from '@tfgraft/core'
import { proxConv2d, proxDense } from '@tfgraft/proxprop'

const { values } = parseArgs({
  options: { out: { type: 'string' }, rounds: { type: 'string', default: '40' } },
})
const backend = await useBackend('wasm')

/** The multilayer perceptron of the issue: batch 128. */
const mlp = {
  title: '784-512-512-10, batch 128',
  batch: { shape: [128, 784], classes: 10 },
  build: (options) => {
    const dense = (config) => (options ? proxDense({ ...config, ...options }) : tfl.layers.dense(config))
    return [
      dense({ units: 512, activation: 'relu', inputShape: [784] }),
      dense({ units: 512, activation: 'relu' }),
      tfl.layers.dense({ units: 10, activation: 'softmax' }),
    ]
  },
}

/** The paper's ConvNet (5 x 5 convolutions with 16, 20 and 20 filters) on images of 28 x 28. */
const convNet = {
  title: 'ConvNet 16-20-20 (5x5), 28x28x1, batch 64',
  batch: { shape: [64, 28, 28, 1], classes: 10 },
  build: (options) => {
    const conv = (config) => {
      const all = { kernelSize: 5, padding: 'same', activation: 'relu', ...config }
      return options ? proxConv2d({ ...all, ...options }) : tfl.layers.conv2d(all)
    }
    return [
      conv({ filters: 16, inputShape: [28, 28, 1] }),
      tfl.layers.maxPooling2d({ poolSize: 2 }),
      conv({ filters: 20 }),
      tfl.layers.maxPooling2d({ poolSize: 2 }),
      conv({ filters: 20 }),
      tfl.layers.maxPooling2d({ poolSize: 2 }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 10, activation: 'softmax' }),
    ]
  },
}

const contenders = {
  mlp: {
    plain: null,
    gradient: { solver: 'gradient' },
    exact: {},
    cg1: { solver: { cg: 1 } },
    cg3: { solver: { cg: 3 } },
    cg10: { solver: { cg: 10 } },
  },
  convNet: {
    plain: null,
    gradient: { solver: 'gradient' },
    exact: { solver: 'exact' },
    cg3: { solver: { cg: 3 } },
    cg10: { solver: { cg: 10 } },
  },
}

function measure({ title, batch, build }, options, rounds) {
  const xs = tf.randomUniform(batch.shape, 0, 1, 'float32', 1)
  const labels = Array.from({ length: batch.shape[0] }, (_, i) => i % batch.classes)
  const ys = tf.oneHot(tf.tensor1d(labels, 'int32'), batch.classes)
  const names = Object.keys(options)
  const setups = names.map((name) => ({
    model: tfl.sequential({ layers: build(options[name]) }),
    optimizer: tf.train.sgd(0.01),
    loss: tfl.metrics.categoricalCrossentropy,
    step: defaultStep,
  }))
  const run = (i) => {
    const from = process.cpuUsage()
    const output = setups[i].step(setups[i], { xs, ys }, { epoch: 0, step: 0, seed: 0 })
    output.loss.dataSync()
    const { user, system } = process.cpuUsage(from)
    const ms = (user + system) / 1000
    tf.dispose([output.loss, output.predictions])
    return ms
  }
  const times = names.map(() => [])
  for (let round = -5; round < rounds; round++)
    for (let turn = 0; turn < names.length; turn++) {
      const i = (turn + Math.abs(round)) % names.length
      const ms = run(i)
      if (round >= 0) times[i].push(ms)
    }
  for (const { model } of setups) model.dispose()
  tf.dispose([xs, ys])
  const results = Object.fromEntries(
    names.map((name, i) => {
      const ratios = times[i].map((ms, round) => ms / times[0][round])
      return [
        name,
        {
          ms: median(times[i]),
          fastestMs: Math.min(...times[i]),
          ratio: median(ratios),
          ratioQuartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
        },
      ]
    }),
  )
  return { title, rounds, results }
}

const rounds = Number(values.rounds)
const report = {
  command: 'node benchmarks/proxprop/step-times.mjs',
  environment: environment(backend),
  nets: [measure(mlp, contenders.mlp, rounds), measure(convNet, contenders.convNet, Math.ceil(rounds / 2))],
}
for (const { title, results } of report.nets) {
  console.log(title)
  console.table(
    Object.fromEntries(
      Object.entries(results).map(([name, { ms, ratio, fastestMs }]) => [
        name,
        {
          'median ms': Number(ms.toFixed(2)),
          'fastest ms': Number(fastestMs.toFixed(2)),
          'ratio to plain': Number(ratio.toFixed(2)),
        },
      ]),
    ),
  )
}
if (values.out) writeFileSync(values.out, `${JSON.stringify(report, null, 2)}\n`)
