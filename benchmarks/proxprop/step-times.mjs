/**
 * Time of one training step with proximal layers, next to the plain step: same net, same batch, same optimizer; and of
 * `model.fit` over five batches, before and after `graft`.
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
import { environment, median, processorTime, quantile } from '@tfgraft/bench/measure'
import { proxprop } from '@tfgraft/proxprop'
import { batchOf, convNet, mlp, setupOf } from './networks.mjs'

const { values } = parseArgs({
  options: { out: { type: 'string' }, rounds: { type: 'string', default: '40' } },
})
const backend = await useBackend('wasm')

const starts = 5

/**
 * Runs in turns of what `start` makes, `{ contenders, dispose }`; each round starts with another contender, and the first is what
 * ratios refer to. The engine compiles kernels once more, in threads that the processor clock counts, until about the
 * fifteenth step: warm-up. All start anew five times: where tensors happen to lie in memory can slow a training's products down for
 * as long as it lives, and the median over fresh starts does not see it.
 */
async function inTurns(start, rounds) {
  let names = []
  let times = []
  for (let s = 0; s < starts; s++) {
    const { contenders, dispose } = start()
    names = Object.keys(contenders)
    if (s === 0) times = names.map(() => [])
    const warmUp = s === 0 ? 15 : 3
    for (let round = -warmUp; round < Math.ceil(rounds / starts); round++)
      for (let turn = 0; turn < names.length; turn++) {
        const i = (turn + Math.abs(round)) % names.length
        const from = processorTime()
        await contenders[names[i]]()
        if (round >= 0) times[i].push(processorTime() - from)
      }
    dispose()
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
  const step = (setup) => () => {
    const output = setup.step(setup, batch, { epoch: 0, step: 0, seed: 0 })
    output.loss.dataSync()
    tf.dispose([output.loss, output.predictions])
  }
  const start = () => {
    const setups = Object.keys(net.contenders).map((name) => [name, setupOf(net, name)])
    return {
      contenders: Object.fromEntries(setups.map(([name, setup]) => [name, step(setup)])),
      dispose: () => setups.forEach(([, { model }]) => void model.dispose()),
    }
  }
  const results = await inTurns(start, rounds)
  tf.dispose(batch)
  return { title: net.title, rounds, results }
}

/** `model.fit`, as tfjs has it, on the plain model and on what `proxprop` makes of it. */
async function fitOf(net, rounds) {
  const batchSize = net.batch.shape[0]
  const { xs, ys } = batchOf({ batch: { ...net.batch, shape: [5 * batchSize, ...net.batch.shape.slice(1)] } })
  const start = () => {
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
    return { contenders, dispose: () => Object.values(models).forEach((model) => void model.dispose()) }
  }
  const results = await inTurns(start, rounds)
  tf.dispose([xs, ys])
  return { title: `model.fit over 5 batches, ${net.title}`, rounds, results }
}

const rounds = Number(values.rounds)
const report = {
  command: 'node benchmarks/proxprop/step-times.mjs',
  environment: environment(backend),
  nets: [await stepsOf(mlp, rounds), await stepsOf(convNet, Math.ceil(rounds / 2))],
  fit: await fitOf(mlp, Math.ceil(rounds / 2)),
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
