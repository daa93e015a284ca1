/**
 * What the harness costs: the steps of a trial (order of batches, seeds, metrics, progress, checkpoints) beside a bare loop over the
 * same batches that takes the step, reads the loss and frees its tensors.
 *
 *     pnpm bench:overhead [--rounds 100] [--out benchmarks/results/committed/harness-overhead.json]
 *
 * Both sides train the same network from the same weights for some steps, in turns, in one process; times are processor time.
 * Both evaluate the untrained network first, outside of the time, since a bare loop would do that too and where tensors lie in memory
 * depends on it. Rounds are short and many: a network of a millisecond per
 * step varies by a tenth from round to round, and the median over many is to tell apart hundredths. The first "network" is a step that
 * does nothing: what is left is the harness by itself, in microseconds.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { initializers, layers, metrics, sequential } from '@tensorflow/tfjs-layers'
import { useBackend } from '@tfgraft/backends'
import { environment, median, processorTime, quartiles } from '@tfgraft/bench/measure'
import { type LoadedTask, supervised, type Task } from '@tfgraft/bench/task'
import {
  type Batch,
  defaultStep,
  evaluate,
  identity,
  type Method,
  type StepOutput,
  type TrainingSetup,
  type TrainStep,
} from '@tfgraft/core'
import { mnist } from '@tfgraft/datasets'
import { runTrial } from '../src/trial'
import { trialCheckpoint } from '../src/trial-checkpoint'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '100' }, out: { type: 'string' } },
})
const backend = await useBackend('wasm')
const { train: examples } = await mnist()

interface Network {
  title: string
  hidden: number[]
  /** Per round. */
  steps: number
  batchSize: number
  step: TrainStep
}
const networks: Network[] = [
  { title: 'a step that does nothing', hidden: [], steps: 1000, batchSize: 1, step: nothing },
  { title: '784-30-30-10, batch 100', hidden: [30, 30], steps: 100, batchSize: 100, step: defaultStep },
  { title: '784-512-512-10, batch 100', hidden: [512, 512], steps: 20, batchSize: 100, step: defaultStep },
]

function nothing(): StepOutput {
  return { loss: tf.scalar(1), predictions: [tf.zeros([1, 10])] }
}

const batches = ({ steps, batchSize }: Network) =>
  examples.take(batchSize * steps).batches({ batchSize, shuffle: 1, form: 'flat' })

const evaluation = () => examples.take(100).batches({ batchSize: 100, form: 'flat' })

const setupOf = ({ hidden, step }: Network): TrainingSetup => ({
  model: sequential({
    layers: [...hidden, 10].map((units, layer) =>
      layers.dense({
        units,
        ...(layer === 0 ? { inputShape: [784] } : {}),
        ...(layer < hidden.length ? { activation: 'relu' as const } : {}),
        kernelInitializer: initializers.heNormal({ seed: layer }),
      }),
    ),
  }),
  optimizer: tf.train.momentum(0.05, 0.9, true),
  loss: tf.losses.softmaxCrossEntropy as TrainingSetup['loss'],
  step,
})

/** Milliseconds per step in a loop that a user would write, which gives the event loop a turn as often as the harness does. */
async function bare(network: Network): Promise<number> {
  const setup = setupOf(network)
  await evaluate(setup, evaluation(), { metrics: { accuracy: metrics.categoricalAccuracy } })
  const from = processorTime()
  const iterator = await batches(network).iterator()
  let step = 0
  let lastTurn = performance.now()
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    const batch: Batch = next.value
    const { loss, predictions } = setup.step(setup, batch, { epoch: 0, step, seed: step })
    await loss.data()
    tf.dispose([loss, predictions, batch.xs, batch.ys])
    step++
    // Without it, the process would notice no Ctrl-C: on wasm, nothing above waits for the event loop.
    if (performance.now() - lastTurn > 100) {
      await nextTurn()
      lastTurn = performance.now()
    }
  }
  const ms = (processorTime() - from) / step
  setup.optimizer.dispose()
  setup.model.dispose()
  return ms
}

/** The same as a trial. Its time starts and ends with the training, without the evaluations before and after. */
async function inHarness(network: Network, folder: string): Promise<number> {
  let ms = Number.NaN
  const loaded = supervised({
    baseline: () => setupOf(network),
    train: () => batches(network),
    evaluation: evaluation(),
    metrics: { accuracy: metrics.categoricalAccuracy },
  })
  const timed: LoadedTask<TrainingSetup> = {
    ...loaded,
    async start(...args) {
      const training = await loaded.start(...args)
      return {
        ...training,
        async train({ onEpoch, ...watch }) {
          const from = processorTime()
          await training.train({
            ...watch,
            onEpoch: (epoch) => {
              ms = (processorTime() - from) / network.steps
              return onEpoch(epoch)
            },
          })
        },
      }
    },
  }
  const task: Task<TrainingSetup> = {
    ...{ name: 'overhead', title: network.title, summary: '', kind: 'supervised', epochs: 1, settings: {} },
    metrics: [{ name: 'accuracy', title: 'accuracy', better: 'higher' }],
    load: async () => timed,
  }
  const config = { task: task.name, method: 'backprop', seed: 1, epochs: 1, backend, hyperparameters: {} }
  await runTrial(
    task as Task,
    timed as LoadedTask,
    identity as Method<unknown>,
    { ...config, evaluateOn: 'test' },
    {
      signal: new AbortController().signal,
      onProgress() {},
      checkpoint: trialCheckpoint(folder, task.name),
    },
  )
  return ms
}

const folder = mkdtempSync(join(tmpdir(), 'tfgraft-overhead-'))
const rows = []
for (const network of networks) {
  const times = { bare: [] as number[], harness: [] as number[] }
  const sides = { bare: () => bare(network), harness: () => inHarness(network, folder) }
  for (let round = -2; round < Number(values.rounds); round++)
    for (const side of round % 2 ? (['harness', 'bare'] as const) : (['bare', 'harness'] as const)) {
      const ms = await sides[side]()
      if (round >= 0) times[side].push(ms)
    }
  const ratios = times.harness.map((ms, round) => ms / times.bare[round]!)
  const row = {
    network: network.title,
    bareMs: median(times.bare),
    harnessMs: median(times.harness),
    addedMicroseconds: 1000 * median(times.harness.map((ms, round) => ms - times.bare[round]!)),
    overhead: median(ratios) - 1,
    quartiles: quartiles(ratios).map((ratio) => ratio - 1),
  }
  rows.push(row)
  console.log(JSON.stringify(row))
}
rmSync(folder, { recursive: true })
const report = {
  command: 'pnpm bench:overhead',
  environment: environment(backend),
  rounds: Number(values.rounds),
  rows,
}
if (values.out) writeFileSync(values.out, `${JSON.stringify(report, null, 2)}\n`)
