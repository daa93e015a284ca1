/**
 * Does exploring pay? PPO alone and with intrinsic rewards, same hyper-parameters, same budget, several seeds.
 *
 *     node benchmarks/exploration/train.mjs multiroom     (or another of `experiments` below)
 *     node benchmarks/exploration/train.mjs --task LockedRoom-v0 --methods ppo:1048576,rnd:1048576 --seeds 1 --out my.json
 *
 * Run `pnpm build` first. An experiment writes `benchmarks/results/committed/exploration-NAME.json` after every trial;
 * trials that the file already holds are not run again, so it can be stopped and called again. Success is the share of the
 * last 100 episodes with a return above 0, while the policy explores.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { useBackend } from '@tfgraft/backends'
import { environment } from '@tfgraft/bench/measure'
import { bonusOptions, hyperParameters, numEnvs, runTrial } from './trial.mjs'

/** Rows of `task`, then `method:steps` with the number of seeds. */
const experiments = {
  multiroom: [
    ['MultiRoom-N4-S5-v1', 5, 'ppo:2097152,rnd:1048576,episodicCount:655360'],
    ['MultiRoom-N4-S5-v1', 1, 'icm:1048576,ride:1048576,ngu:1048576,re3:1048576'],
    ['MultiRoom-N4-S5-v1', 1, 'e3b:1048576,pseudoCounts:1048576,disagreement:1048576'],
  ],
}

const { values, positionals } = parseArgs({
  options: {
    task: { type: 'string' },
    /** Names, each with the environment steps of its trials. */
    methods: { type: 'string' },
    seeds: { type: 'string', default: '5' },
    out: { type: 'string' },
  },
  allowPositionals: true,
})
const name = positionals[0] ?? 'multiroom'
if (!values.task && !experiments[name])
  throw new Error(`Choose one of ${Object.keys(experiments)}. Received ${name}.`)
const rows = values.task ? [[values.task, Number(values.seeds), values.methods]] : experiments[name]
const out = values.out ?? (values.task ? undefined : `benchmarks/results/committed/exploration-${name}.json`)

const backend = await useBackend('wasm')
const here = environment(backend)
const results =
  out && existsSync(out)
    ? JSON.parse(readFileSync(out, 'utf8'))
    : { environment: here, hyperParameters, bonusOptions, numEnvs, trials: [] }

for (const [task, seeds, methods] of rows)
  for (let seed = 1; seed <= seeds; seed++)
    for (const entry of methods.split(',')) {
      const [method, steps] = entry.split(':')
      const trial = { task, method, seed, totalSteps: Number(steps) }
      const same = (t) => Object.entries(trial).every(([key, value]) => t[key] === value)
      if (results.trials.some(same)) continue
      // A later call may add trials: what these ran on, where the file's environment is of the first call.
      const record = { ...trial, commit: here.commit, load: here.load, ...(await runTrial(trial)) }
      results.trials.push(record)
      console.log(JSON.stringify({ ...record, curve: undefined }))
      if (out) writeFileSync(out, `${JSON.stringify(results)}\n`)
    }
