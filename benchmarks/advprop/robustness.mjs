/**
 * Trains the small ResNet with each method from the same weights on the same batches, and measures clean accuracy (all
 * 10,000 test images), accuracy under PGD-20, mean accuracy over the fifteen corruptions, and shape bias.
 *
 *     node benchmarks/advprop/robustness.mjs                       # everything, or what is missing of it
 *     node benchmarks/advprop/robustness.mjs --data mnist --methods plain,advprop --seeds 2
 *     node benchmarks/advprop/robustness.mjs --report              # tables of what there is, and the README's
 *
 * A line of JSON per model goes to `--out`; what is there already is not trained again, so that an interrupted run goes
 * on where it was. Weights are kept beside, not committed, for `apgd.mjs`. Run `pnpm build` first.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { corrupt, corruptions, cueConflict, dropAuxiliary, pgd, shapeBias } from '@tfgraft/advprop'
import { useBackend } from '@tfgraft/backends'
import { environment } from '@tfgraft/bench/measure'
import { fashionMnist, mnist } from '@tfgraft/datasets'
import { budgets, weightsFile } from './experiment.mjs'
import { baseline, methods } from './network.mjs'
import { report } from './report.mjs'

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: 'fashion-mnist,mnist' },
    methods: { type: 'string', default: 'plain,advprop,sparseTopK' },
    seeds: { type: 'string', default: '5' },
    steps: { type: 'string', default: '600' },
    out: { type: 'string', default: 'benchmarks/results/committed/advprop-robustness.jsonl' },
    report: { type: 'boolean', default: false },
  },
})
const steps = Number(values.steps)
const BATCH = 64

const rows = existsSync(values.out)
  ? readFileSync(values.out, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  : []
const same = (a, b) => ['data', 'method', 'seed', 'steps'].every((key) => a[key] === b[key])

async function main() {
  const backend = await useBackend('wasm')
  const prepared = {}
  for (let seed = 1; seed <= Number(values.seeds); seed++)
    for (const data of values.data.split(','))
      for (const method of values.methods.split(',')) {
        const trial = { data, method, seed, steps }
        if (rows.some((row) => same(row, trial))) continue
        prepared[data] ??= await prepare(data)
        const row = { ...trial, ...(await run(trial, prepared[data])), environment: environment(backend) }
        rows.push(row)
        appendFileSync(values.out, `${JSON.stringify(row)}\n`)
        console.log(
          `${data} ${method} seed ${seed}: clean ${row.clean}, PGD-20 ${row.pgd20}, ` +
            `corrupted ${row.corrupted}, shape bias ${row.shapeBias} and ${row.shapeBiasCovered}; ${row.cpuSeconds} s`,
        )
      }
}

/** Data and the changed images, made once for all models. */
async function prepare(data) {
  const { train, test } = await { 'fashion-mnist': fashionMnist, mnist }[data]()
  const of = (images) => images.tensors({ labels: 'index' })
  const shuffled = test.shuffle(99)
  const [attacked, corrupted] = [of(shuffled.take(300)), of(shuffled.take(200))]
  const sources = of(shuffled.take(2000))
  return {
    train,
    epsilon: budgets[data],
    clean: of(test),
    attacked,
    corrupted: {
      ys: corrupted.ys,
      sets: corruptions.map((kind) => ({
        kind,
        bySeverity: [1, 2, 3, 4, 5].map((severity) => corrupt(corrupted.xs, kind, severity, { seed: 1 })),
      })),
    },
    // Shapes on black, and shapes on half of the texture, where both cues are about as strong.
    conflicts: [0, 0.5].map((background) =>
      cueConflict(sources.xs, sources.ys, { count: 2000, background, seed: 1 }),
    ),
  }
}

/** Trains one model and measures it. */
async function run({ data, method, seed }, prepared) {
  const setup = methods(prepared.epsilon)[method].apply(baseline(seed, { steps }))
  const start = process.cpuUsage()
  const batches = prepared.train.batches({ batchSize: BATCH, shuffle: seed, dropRemainder: true })
  let step = 0
  let lastLoss = 0
  while (step < steps)
    for await (const batch of batches) {
      const context = { epoch: 0, step, seed: seed * 100_000 + step }
      const { loss, predictions } = setup.step(setup, batch, context)
      if (++step > steps - 50) lastLoss += loss.dataSync()[0] / 50
      tf.dispose([loss, predictions, batch])
      if (step === steps) break
    }
  const { user, system } = process.cpuUsage(start)
  const model = dropAuxiliary(setup.model)
  setup.model.dispose()
  const file = weightsFile(data, method, seed)
  mkdirSync(new URL('.', file), { recursive: true })
  writeFileSync(file, JSON.stringify(model.getWeights().map((w) => [...w.dataSync()])))
  const measured = measure(model, prepared)
  model.dispose()
  return { ...measured, lastLoss, cpuSeconds: Math.round((user + system) / 1e5) / 10 }
}

const round = (value) => Math.round(value * 1e4) / 1e4

function accuracy(model, xs, ys) {
  const right = tf.tidy(() => {
    const predicted = tf.argMax(model.predict(xs, { batchSize: 250 }), 1)
    return tf.sum(tf.cast(tf.equal(predicted, ys), 'float32')).dataSync()[0]
  })
  return round(right / ys.shape[0])
}

function measure(model, { epsilon, clean, attacked, corrupted, conflicts }) {
  const adversarial = pgd(model, attacked.xs, attacked.ys, { epsilon, iterations: 20, seed: 1 })
  const byKind = Object.fromEntries(
    corrupted.sets.map(({ kind, bySeverity }) => [
      kind,
      bySeverity.map((xs) => accuracy(model, xs, corrupted.ys)),
    ]),
  )
  const all = Object.values(byKind).flat()
  const [plain, covered] = conflicts.map((conflict) => shapeBias(model, conflict))
  const result = {
    clean: accuracy(model, clean.xs, clean.ys),
    pgd20: accuracy(model, adversarial, attacked.ys),
    corrupted: round(all.reduce((a, b) => a + b, 0) / all.length),
    shapeBias: round(plain.shapeBias),
    shapeBiasCovered: round(covered.shapeBias),
    byKind,
    cues: { plain, covered },
  }
  adversarial.dispose()
  return result
}

if (!values.report) await main()
report(rows.filter((row) => row.steps === steps))
