/**
 * Time of one training step with proximal layers, next to the plain step: same net, same batch, same optimizer; and of
 * `model.fit` over ten batches, before and after `graft`.
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
import { useBackend } from '@tfgraft/backends'
import { processorTime } from '@tfgraft/bench/measure'
import { proxprop } from '@tfgraft/proxprop'
import { environment, median, quantile } from './measure.mjs'
import { batchOf, convNet, mlp, setupOf } from './networks.mjs'

const { values } = parseArgs({
  options: { out: { type: 'string' }, rounds: { type: 'string', default: '40' } },
})
const backend = await useBackend('wasm')

/** Runs of `contenders` in turns; each round starts with another one. The first contender is what ratios refer to. */
async function inTurns(contenders, rounds, warmUp) {
  const names = Object.keys(contenders)
  const times = names.map(() => [])
  for (let round = -warmUp; round < rounds; round++)
    for (let turn = 0; turn < names.length; turn++) {
      const i = (turn + Math.abs(round)) % names.length
      const from = processorTime()
      await contenders[names[i]]()
      if (round >= 0) times[i].push(processorTime() - from)
    }
  return Object.fromEntries(
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
}

async function stepsOf(net, rounds) {
  const batch = batchOf(net)
  const setups = Object.keys(net.contenders).map((name) => [name, setupOf(net, name)])
  const step = (setup) => () => {
    const output = setup.step(setup, batch, { epoch: 0, step: 0, seed: 0 })
    output.loss.dataSync()
    tf.dispose([output.loss, output.predictions])
  }
  const contenders = Object.fromEntries(setups.map(([name, setup]) => [name, step(setup)]))
  const results = await inTurns(contenders, rounds, 5)
  for (const [, { model }] of setups) model.dispose()
  tf.dispose(batch)
  return { title: net.title, rounds, results }
}

/** `model.fit`, as tfjs has it, on the plain model and on what `proxprop` makes of it. */
async function fitOf(net, rounds) {
  const batchSize = net.batch.shape[0]
  const { xs, ys } = batchOf({
    batch: { ...net.batch, shape: [10 * batchSize, ...net.batch.shape.slice(1)] },
  })
  const plain = setupOf(net, 'plain')
  const models = {
    plain: plain.model,
    'gradient, grafted': proxprop({ solver: 'gradient' }).apply(plain).model,
    'exact, grafted': proxprop({ solver: 'exact' }).apply(plain).model,
  }
  const contenders = Object.fromEntries(
    Object.entries(models).map(([name, model]) => {
      model.compile({ optimizer: tf.train.sgd(0.01), loss: 'categoricalCrossentropy' })
      return [name, () => model.fit(xs, ys, { batchSize, epochs: 1, verbose: 0, yieldEvery: 'never' })]
    }),
  )
  const results = await inTurns(contenders, rounds, 1)
  for (const model of Object.values(models)) model.dispose()
  tf.dispose([xs, ys])
  return { title: `model.fit over 10 batches, ${net.title}`, rounds, results }
}

const rounds = Number(values.rounds)
const report = {
  command: 'node benchmarks/proxprop/step-times.mjs',
  environment: environment(backend),
  nets: [await stepsOf(mlp, rounds), await stepsOf(convNet, Math.ceil(rounds / 2))],
  fit: await fitOf(mlp, Math.ceil(rounds / 4)),
}
for (const { title, results } of [...report.nets, report.fit]) {
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
