/**
 * The search for the settings of `robustness.mjs`: the same number of tries for plain training and for each method, on
 * images held out from the training set, with seeds that the experiment does not use.
 *
 *     node benchmarks/advprop/search.mjs --data fashion-mnist [--methods plain,advprop] [--seeds 101,102] [--minutes 11]
 *
 * Resumable like `robustness.mjs`. Run `pnpm build` first.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { advprop, sparseTopK } from '@tfgraft/advprop'
import { useBackend } from '@tfgraft/backends'
import { identity } from '@tfgraft/core'
import { baseline, oneStep } from './network.mjs'
import { load, measure, prepare, train } from './trial.mjs'

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: 'fashion-mnist,mnist' },
    methods: { type: 'string' },
    seeds: { type: 'string', default: '101' },
    out: { type: 'string', default: 'benchmarks/results/committed/advprop-search.jsonl' },
    minutes: { type: 'string', default: '11' },
  },
})

const attacked =
  (options, budget = 1) =>
  (epsilon) =>
    advprop({ attack: oneStep(budget * epsilon), ...options })
const sparse = (k, after) => () => sparseTopK({ k, after })

/** Method, what was set, learning rate, steps, and the method for an attack budget: four tries each, in turns. */
const tries = [
  ['plain', 'as before', 8e-3, 600, () => identity],
  ['advprop', 'weight 0.25', 1.6e-2, 600, attacked({ adversarialWeight: 0.25 })],
  ['sparseTopK', '20 %, second block', 1.6e-2, 600, sparse(0.2, 'stage2')],
  ['plain', 'twice the rate', 1.6e-2, 600, () => identity],
  ['advprop', 'weight 0.25', 1.6e-2, 1200, attacked({ adversarialWeight: 0.25 })],
  ['sparseTopK', '5 %, second block', 1.6e-2, 600, sparse(0.05, 'stage2')],
  ['plain', 'twice the rate', 1.6e-2, 1200, () => identity],
  [
    'advprop',
    'weight 0.25, shared affine',
    1.6e-2,
    600,
    attacked({ adversarialWeight: 0.25, auxiliary: 'shared' }),
  ],
  ['sparseTopK', '20 %, stem', 1.6e-2, 600, sparse(0.2, 'stem')],
  ['plain', 'four times the rate', 3.2e-2, 600, () => identity],
  ['advprop', 'weight 0.5, half the budget', 1.6e-2, 600, attacked({ adversarialWeight: 0.5 }, 0.5)],
  ['sparseTopK', '20 %, both blocks', 1.6e-2, 600, sparse(0.2, ['stage1', 'stage2'])],
]

const rows = existsSync(values.out)
  ? readFileSync(values.out, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  : []

async function main() {
  await useBackend('wasm')
  const prepared = {}
  const wanted = values.methods?.split(',')
  for (const data of values.data.split(','))
    for (const seed of values.seeds.split(',').map(Number))
      for (const [method, name, learningRate, steps, of] of tries) {
        if (wanted && !wanted.includes(method)) continue
        const trial = { data, method, name, learningRate, steps, seed }
        if (performance.now() > 60_000 * values.minutes) return
        if (rows.some((row) => Object.keys(trial).every((key) => row[key] === trial[key]))) continue
        prepared[data] ??= prepare(data, await load(data, { validation: true }))
        const setup = of(prepared[data].epsilon).apply(baseline(seed, { learningRate, steps }))
        const { model, ...cost } = await train(setup, prepared[data], { seed, steps })
        const { byKind, ...measured } = measure(model, prepared[data])
        model.dispose()
        const row = { ...trial, ...measured, ...cost, byKind }
        rows.push(row)
        appendFileSync(values.out, `${JSON.stringify(row)}\n`)
        console.log(
          Object.values(trial).join(' '),
          Object.values(measured).slice(0, 5).join(' '),
          cost.cpuSeconds,
        )
      }
}

await main()
