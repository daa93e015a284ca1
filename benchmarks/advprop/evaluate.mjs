/**
 * Evaluates the models that `train.mjs` stored: clean accuracy, accuracy under PGD-20, mean accuracy over the fifteen
 * corruptions, and shape bias, per method, with 95 % intervals over the seeds (Student's t).
 *
 *     node benchmarks/advprop/evaluate.mjs --data fashion-mnist --out benchmarks/results/committed/advprop-fashion-mnist.json
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { corrupt, corruptions, cueConflict, dropAuxiliary, pgd, shapeBias } from '@tfgraft/advprop'
import { useBackend } from '@tfgraft/backends'
import { environment } from '@tfgraft/bench/measure'
import { fashionMnist, mnist } from '@tfgraft/datasets'
import { budgets, weightsFile } from './experiment.mjs'
import { baseline, methods } from './network.mjs'

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: 'fashion-mnist' },
    methods: { type: 'string', default: 'plain,advprop,fastAdvProp,sparseTopK' },
    out: { type: 'string' },
    test: { type: 'string', default: '1000' },
    attacked: { type: 'string', default: '200' },
    corrupted: { type: 'string', default: '100' },
  },
})
const backend = await useBackend('wasm')
const { test } = await { 'fashion-mnist': fashionMnist, mnist }[values.data]()
const epsilon = budgets[values.data]
const of = (count) => test.shuffle(99).take(Number(count)).tensors({ labels: 'index' })
const [clean, attacked, small] = [of(values.test), of(values.attacked), of(values.corrupted)]
const conflict = cueConflict(clean.xs, clean.ys, { count: 500, seed: 1 })
// Corrupted once for all models.
const corrupted = corruptions.flatMap((kind) =>
  [1, 3, 5].map((severity) => ({ kind, severity, xs: corrupt(small.xs, kind, severity, { seed: 1 }) })),
)

const accuracy = (model, xs, ys) =>
  tf.tidy(
    () =>
      tf
        .mean(tf.cast(tf.equal(tf.argMax(model.predict(xs, { batchSize: 200 }), 1), ys), 'float32'))
        .dataSync()[0],
  )

function measure(model) {
  const robust = [epsilon / 2, epsilon].map((budget) => {
    let right = 0
    for (let at = 0; at < attacked.xs.shape[0]; at += 100)
      tf.tidy(() => {
        const [x, y] = [tf.slice(attacked.xs, at, 100), tf.slice(attacked.ys, at, 100)]
        right += 100 * accuracy(model, pgd(model, x, y, { epsilon: budget, iterations: 20, seed: at }), y)
      })
    return right / attacked.xs.shape[0]
  })
  const byKind = Object.fromEntries(
    corruptions.map((kind) => {
      const of = corrupted.filter((c) => c.kind === kind).map(({ xs }) => accuracy(model, xs, small.ys))
      return [kind, of.reduce((a, b) => a + b, 0) / of.length]
    }),
  )
  const bias = shapeBias(model, conflict)
  return {
    clean: accuracy(model, clean.xs, clean.ys),
    pgd20Half: robust[0],
    pgd20: robust[1],
    corrupted: Object.values(byKind).reduce((a, b) => a + b, 0) / corruptions.length,
    shapeBias: bias.shapeBias,
    byKind,
    cues: bias,
  }
}

// 97.5 % quantiles of Student's t, by degrees of freedom.
const T = [Number.NaN, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262]
function summary(numbers) {
  const n = numbers.length
  const mean = numbers.reduce((a, b) => a + b, 0) / n
  const std = Math.sqrt(numbers.reduce((a, b) => a + (b - mean) ** 2, 0) / (n - 1))
  return { mean, half: n > 1 ? (T[n - 1] * std) / Math.sqrt(n) : null }
}

const results = []
for (const method of values.methods.split(','))
  for (let seed = 1; existsSync(weightsFile(values.data, method, seed)); seed++) {
    const stored = JSON.parse(readFileSync(weightsFile(values.data, method, seed), 'utf8'))
    // Built as in training: names of layers differ from model to model, the order of weights does not.
    const model = dropAuxiliary(methods(epsilon)[method].apply(baseline(seed)).model)
    const weights = Object.values(stored.weights)
    model.setWeights(model.weights.map((w, i) => tf.tensor(weights[i], w.shape)))
    // Measured once: a later run only adds what was trained since.
    const cache = new URL(`${weightsFile(values.data, method, seed).href}.measured`)
    const numbers = existsSync(cache) ? JSON.parse(readFileSync(cache, 'utf8')) : measure(model)
    writeFileSync(cache, JSON.stringify(numbers))
    results.push({ method, seed, ...numbers, trainedOn: stored.count, epochs: stored.epochs })
    console.log(
      method,
      seed,
      ['clean', 'pgd20Half', 'pgd20', 'corrupted', 'shapeBias']
        .map((k) => `${k} ${numbers[k].toFixed(3)}`)
        .join('  '),
    )
    model.dispose()
  }

const metrics = ['clean', 'pgd20Half', 'pgd20', 'corrupted', 'shapeBias']
const summaries = Object.fromEntries(
  values.methods
    .split(',')
    .map((method) => [
      method,
      Object.fromEntries(
        metrics.map((metric) => [
          metric,
          summary(results.filter((r) => r.method === method).map((r) => r[metric])),
        ]),
      ),
    ]),
)
for (const [method, byMetric] of Object.entries(summaries))
  console.log(
    method.padEnd(12),
    metrics
      .map(
        (m) =>
          `${m} ${(100 * byMetric[m].mean).toFixed(1)} +- ${byMetric[m].half === null ? '?' : (100 * byMetric[m].half).toFixed(1)}`,
      )
      .join('  '),
  )
if (values.out)
  writeFileSync(
    values.out,
    `${JSON.stringify({ environment: environment(backend), data: values.data, epsilon, images: { test: clean.xs.shape[0], attacked: attacked.xs.shape[0], corrupted: small.xs.shape[0] }, summaries, results }, null, 1)}\n`,
  )
