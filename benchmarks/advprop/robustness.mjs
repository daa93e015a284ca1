/**
 * Trains the small ResNet with each method from the same weights on the same batches, and measures clean accuracy (all
 * 10,000 test images), accuracy under PGD-20, mean accuracy over the fifteen corruptions, and shape bias.
 *
 *     node benchmarks/advprop/robustness.mjs                       # everything, or what is missing of it
 *     node benchmarks/advprop/robustness.mjs --data mnist --methods plain,advprop --seeds 11,12
 *     node benchmarks/advprop/robustness.mjs --report              # tables of what there is, and the README's
 *
 * A line of JSON per model goes to `--out`; what is there already is not trained again, so that an interrupted run goes
 * on where it was. Weights are kept beside, not committed, for `apgd.mjs`. Run `pnpm build` first.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { useBackend } from '@tfgraft/backends'
import { environment } from '@tfgraft/bench/measure'
import { steps, weightsFile } from './experiment.mjs'
import { baseline, methods } from './network.mjs'
import { report } from './report.mjs'
import { load, measure, prepare, train } from './trial.mjs'

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: 'fashion-mnist,mnist' },
    methods: { type: 'string', default: 'plain,advprop,sparseTopK' },
    seeds: { type: 'string', default: '11,12,13,14,15' },
    out: { type: 'string', default: 'benchmarks/results/committed/advprop-robustness.jsonl' },
    minutes: { type: 'string', default: '600' },
    report: { type: 'boolean', default: false },
  },
})
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
  for (const seed of values.seeds.split(',').map(Number))
    for (const data of values.data.split(','))
      for (const method of values.methods.split(',')) {
        const trial = { data, method, seed, steps: steps[data] }
        if (rows.some((row) => same(row, trial))) continue
        if (performance.now() > 60_000 * values.minutes) return
        prepared[data] ??= prepare(data, await load(data))
        const row = { ...trial, ...(await run(trial, prepared[data])), environment: environment(backend) }
        rows.push(row)
        appendFileSync(values.out, `${JSON.stringify(row)}\n`)
        console.log(
          `${data} ${method} seed ${seed}: clean ${row.clean}, PGD-20 ${row.pgd20}, ` +
            `corrupted ${row.corrupted}, shape bias ${row.shapeBias} and ${row.shapeBiasCovered}; ${row.cpuSeconds} s`,
        )
      }
}

/** Trains one model, keeps its weights and measures it. */
async function run({ data, method, seed, steps }, prepared) {
  const setup = methods(prepared.epsilon)[method].apply(baseline(seed, { steps }))
  const { model, ...cost } = await train(setup, prepared, { seed, steps })
  const file = weightsFile(data, method, seed)
  mkdirSync(new URL('.', file), { recursive: true })
  writeFileSync(file, JSON.stringify(model.getWeights().map((w) => [...w.dataSync()])))
  const measured = measure(model, prepared)
  model.dispose()
  return { ...measured, ...cost }
}

if (!values.report) await main()
report(rows.filter((row) => row.steps === steps[row.data]))
