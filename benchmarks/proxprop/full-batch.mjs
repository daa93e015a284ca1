/**
 * Full-batch training: in how many epochs does ProxProp (exact) reach the loss that plain gradient descent has after 50?
 *
 *     node benchmarks/proxprop/full-batch.mjs [--dataset mnist|fashion-mnist] [--samples 1000] [--seeds 5] [--out file.json]
 *
 * The paper's experiment of section 4.1, shrunk to two cores: the first 1,000 training images, 784-100-100-10, mean
 * cross entropy, SGD without momentum for both. Both methods are tuned on seed 0 over one grid of learning rates,
 * ProxProp over two values of tau as well; the seeds that are reported were not used for tuning. A run and its
 * baseline start from the same weights. Two forms of ProxProp: the output layer explicit, as in the paper, and every
 * layer proximal. Run `pnpm build` first.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { useBackend } from '@tfgraft/backends'
import { environment, meanWithInterval } from '@tfgraft/bench/measure'
import { defaultStep } from '@tfgraft/core'
import { fashionMnist, mnist } from '@tfgraft/datasets'
import { proxDense } from '@tfgraft/proxprop'

const { values } = parseArgs({
  options: {
    dataset: { type: 'string', default: 'mnist' },
    samples: { type: 'string', default: '1000' },
    seeds: { type: 'string', default: '5' },
    out: { type: 'string' },
  },
})
const datasets = { mnist, 'fashion-mnist': fashionMnist }
if (!(values.dataset in datasets)) {
  console.error(
    `full-batch: --dataset must be ${Object.keys(datasets).join(' or ')}. Received ${values.dataset}.`,
  )
  process.exit(1)
}

const learningRates = [0.03, 0.1, 0.3, 1, 3, 10, 100, 1000]
const taus = [0.1, 10]
const epochs = { gradientDescent: 50, tuning: 15, proxprop: 50 }

const backend = await useBackend('wasm')
const samples = Number(values.samples)
const { train } = await datasets[values.dataset]()
const { xs: images, ys } = train.take(samples).tensors()
const xs = tf.reshape(images, [samples, 784])

function network(kind, seed, tau) {
  const layer = (config, index, proximal) => {
    const all = { ...config, kernelInitializer: tfl.initializers.glorotUniform({ seed: 10 * seed + index }) }
    return proximal ? proxDense({ ...all, tau }) : tfl.layers.dense(all)
  }
  return tfl.sequential({
    layers: [
      layer({ units: 100, activation: 'relu', inputShape: [784] }, 1, kind !== 'gradient descent'),
      layer({ units: 100, activation: 'relu' }, 2, kind !== 'gradient descent'),
      layer({ units: 10, activation: 'softmax' }, 3, kind === 'all layers proximal'),
    ],
  })
}

/** Training loss before each epoch's step and after the last; stops at `goal`, and where it is no number. */
function run(kind, seed, { learningRate, tau }, count, goal = -1) {
  const model = network(kind, seed, tau)
  const setup = {
    model,
    optimizer: tf.train.sgd(learningRate),
    loss: tfl.metrics.categoricalCrossentropy,
    step: defaultStep,
  }
  const losses = []
  for (let epoch = 0; epoch <= count; epoch++) {
    const { loss, predictions } = setup.step(setup, { xs, ys }, { epoch, step: epoch, seed })
    losses.push(loss.dataSync()[0])
    tf.dispose([loss, predictions])
    if (!(losses.at(-1) > goal)) break
  }
  model.dispose()
  return losses
}

/** The setting with the lowest loss on seed 0. */
function tune(kind, settings, count) {
  const tried = settings.map((setting) => {
    const last = run(kind, 0, setting, count).at(-1)
    return { ...setting, loss: Number.isFinite(last) ? last : Number.POSITIVE_INFINITY }
  })
  return tried.reduce((best, next) => (next.loss < best.loss ? next : best))
}

const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => i + 1)
const plain = learningRates.map((learningRate) => ({ learningRate }))
const proximal = plain.flatMap((setting) => taus.map((tau) => ({ ...setting, tau })))
const baseline = tune('gradient descent', plain, epochs.gradientDescent)
console.log('gradient descent', baseline)
const goals = seeds.map((seed) => run('gradient descent', seed, baseline, epochs.gradientDescent).at(-1))

const methods = ['output layer explicit', 'all layers proximal'].map((kind) => {
  const setting = tune(kind, proximal, epochs.tuning)
  const curves = seeds.map((seed, i) => run(kind, seed, setting, epochs.proxprop, goals[i]))
  // The number of steps after which the loss is at most the goal; 50 where it is not reached.
  const reached = curves.map((losses, i) => (losses.at(-1) <= goals[i] ? losses.length - 1 : null))
  const result = {
    kind,
    setting,
    epochsToReach: reached,
    interval: meanWithInterval(reached.map((count) => count ?? Number.POSITIVE_INFINITY)),
  }
  console.log(kind, setting, 'epochs to reach', reached.join(' '), result.interval)
  return result
})

const report = {
  command: `node benchmarks/proxprop/full-batch.mjs --dataset ${values.dataset}`,
  environment: environment(backend),
  task: {
    dataset: values.dataset,
    samples,
    network: '784-100-100-10',
    optimizer: 'SGD',
    learningRates,
    taus,
    epochs,
  },
  gradientDescent: { setting: baseline, lossAfter50Epochs: goals, interval: meanWithInterval(goals) },
  methods,
}
if (values.out) writeFileSync(values.out, `${JSON.stringify(report, null, 2)}\n`)
