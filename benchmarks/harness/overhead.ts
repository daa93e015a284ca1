/**
 * What the harness costs: the steps of a trial (order of batches, seeds, metrics, progress, checkpoints) beside a bare loop over the
 * same batches that takes the step, reads the loss and frees its tensors.
 *
 *     pnpm bench:overhead [--rounds 9] [--out benchmarks/results/committed/harness-overhead.json]
 *
 * Both sides train the same network from the same weights, an epoch each in turns, in one process; times are processor time.
 * Evaluations are left out on both sides, since a bare loop would need them too.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { initializers, layers, metrics, sequential } from '@tensorflow/tfjs-layers'
import { useBackend } from '@tfgraft/backends'
import { environment, median, processorTime, quartiles } from '@tfgraft/bench/measure'
import { type LoadedTask, supervised, type Task } from '@tfgraft/bench/task'
import { type Batch, defaultStep, identity, type Method, type TrainingSetup } from '@tfgraft/core'
import { mnist } from '@tfgraft/datasets'
import { runTrial } from '../src/trial'
import { trialCheckpoint } from '../src/trial-checkpoint'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, out: { type: 'string' } },
})
const backend = await useBackend('wasm')
const { train: examples } = await mnist()

interface Network {
  title: string
  hidden: number[]
  /** Of 100 examples, in an epoch. */
  steps: number
}
const networks: Network[] = [
  { title: '784-30-30-10, batch 100', hidden: [30, 30], steps: 300 },
  { title: '784-512-512-10, batch 100', hidden: [512, 512], steps: 100 },
]

const batches = ({ steps }: Network) =>
  examples.take(100 * steps).batches({ batchSize: 100, shuffle: 1, form: 'flat' })

const setupOf = ({ hidden }: Network): TrainingSetup => ({
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
  step: defaultStep,
})

/** Milliseconds per step in a loop that a user would write. */
async function bare(network: Network): Promise<number> {
  const setup = setupOf(network)
  const from = processorTime()
  const iterator = await batches(network).iterator()
  let step = 0
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    const batch: Batch = next.value
    const { loss, predictions } = setup.step(setup, batch, { epoch: 0, step, seed: step })
    await loss.data()
    tf.dispose([loss, predictions, batch.xs, batch.ys])
    step++
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
    evaluation: examples.take(100).batches({ batchSize: 100, form: 'flat' }),
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
  for (let round = -1; round < Number(values.rounds); round++)
    for (const side of round % 2 ? (['harness', 'bare'] as const) : (['bare', 'harness'] as const)) {
      const ms = await sides[side]()
      if (round >= 0) times[side].push(ms)
    }
  const ratios = times.harness.map((ms, round) => ms / times.bare[round]!)
  const row = {
    network: network.title,
    bareMs: median(times.bare),
    harnessMs: median(times.harness),
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
