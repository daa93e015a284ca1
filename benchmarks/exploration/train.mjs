/**
 * Does exploring pay? PPO alone and with intrinsic rewards, same hyper-parameters, same budget, several seeds.
 *
 *     node benchmarks/exploration/train.mjs multiroom     (or another of `experiments` below)
 *     node benchmarks/exploration/train.mjs keyroom --python .venv-minihack/bin/python      (a Python with minihack)
 *     node benchmarks/exploration/train.mjs --task LockedRoom-v0 --methods ppo:1048576,rnd:1048576 --seeds 1 --out my.json
 *
 * Run `pnpm build` first. An experiment writes `benchmarks/results/committed/exploration-NAME.json` after every trial;
 * trials that the file already holds are not run again, so it can be stopped and called again. Success is the share of the
 * last 100 episodes with a return above 0, while the policy explores. `tables.mjs` puts the results into the package's README.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { useBackend } from '@tfgraft/backends'
import { environment } from '@tfgraft/bench/measure'
import { bonusOptions, hyperParameters, numEnvs, runTrial } from './trial.mjs'

/** A fifth of the default weight, and no ends: what the world pays is heard beside it, and ending an episode costs nothing. */
const lightCounts = { coefficient: 0.001, episodic: false }
/** Loud while nothing has been found, and quieter later: a tenth after 1.15 million steps. */
const fadingCounts = { coefficient: 0.005, episodic: false, decay: 2e-6 }

/** Rows: task, seeds (how many, or which), `method:steps`, options of those methods. */
const experiments = {
  multiroom: [
    ['MultiRoom-N4-S5-v1', 5, 'ppo:2097152,rnd:1048576,episodicCount:655360'],
    ['MultiRoom-N4-S5-v1', 1, 'icm:1048576,ride:1048576,ngu:1048576,re3:1048576'],
    ['MultiRoom-N4-S5-v1', 1, 'e3b:1048576,pseudoCounts:1048576,disagreement:1048576'],
  ],
  harder: [
    ['MultiRoom-N6-v0', 3, 'rnd:3145728,ppo:3145728'],
    ['DoorKey-16x16-v0', 3, 'episodicCount:2097152', lightCounts],
    ['DoorKey-16x16-v0', 3, 'ppo:2097152'],
    ['DoorKey-16x16-v0', 1, 'rnd:2097152,episodicCount:1572864'],
    ['KeyCorridorS3R3-v0', 1, 'ppo:2621440,episodicCount:1572864'],
    ['KeyCorridorS3R3-v0', 1, 'episodicCount:2621440', lightCounts],
    ['MultiRoom-N4-S5-v0', 2, 'ppo:1048576,rnd:1572864'],
    // The first looks at it, one seed each.
    ['MultiRoom-N6-v0', 1, 'ppo:1572864,rnd:1572864,rnd:4194304'],
  ],
  // As many tries for PPO as for bonuses, those of `harder` included, on a seed that nothing else is reported on.
  'doorkey-tuning': [
    ['DoorKey-16x16-v0', [101], 'episodicCount:2097152', { coefficient: 0.0003, episodic: false }],
    ['DoorKey-16x16-v0', [101], 'episodicCount:2097152', fadingCounts],
    ...[{ entropyCoefficient: 0.03 }, { entropyCoefficient: 0.003 }, { entropyCoefficient: 0.001 }].map(
      (options) => ['DoorKey-16x16-v0', [101], 'ppo:2097152', options],
    ),
    ['DoorKey-16x16-v0', [101], 'ppo:2097152', { learningRate: 0.0003 }],
  ],
  // The best of each.
  doorkey: [
    ['DoorKey-16x16-v0', 5, 'episodicCount:2097152', { coefficient: 0.0003, episodic: false }],
    ['DoorKey-16x16-v0', 5, 'ppo:2097152', { entropyCoefficient: 0.03 }],
  ],
  memory: [['MemoryS7-v0', 2, 'ppo:524288,lstm:524288,gru:524288']],
  keyroom: [['MiniHack-KeyRoom-S5-v0', 1, 'ppo:1048576,rnd:1048576']],
}

const { values, positionals } = parseArgs({
  options: {
    task: { type: 'string' },
    /** Names, each with the environment steps of its trials. */
    methods: { type: 'string' },
    seeds: { type: 'string', default: '5' },
    out: { type: 'string' },
    /** Of those methods, as JSON. */
    options: { type: 'string' },
    python: { type: 'string' },
    /** No trial is begun after so many minutes; the next call begins it. */
    minutes: { type: 'string', default: 'Infinity' },
  },
  allowPositionals: true,
})
const name = positionals[0] ?? 'multiroom'
if (!values.task && !experiments[name])
  throw new Error(`Choose one of ${Object.keys(experiments)}. Received ${name}.`)
const rows = values.task
  ? [[values.task, Number(values.seeds), values.methods, values.options && JSON.parse(values.options)]]
  : experiments[name]
const out = values.out ?? (values.task ? undefined : `benchmarks/results/committed/exploration-${name}.json`)

const backend = await useBackend('wasm')
const here = environment(backend)
const results =
  out && existsSync(out)
    ? JSON.parse(readFileSync(out, 'utf8'))
    : { environment: here, hyperParameters, bonusOptions, numEnvs, trials: [] }

for (const [task, seeds, methods, options] of rows)
  for (const seed of Array.isArray(seeds) ? seeds : Array.from({ length: seeds }, (_, k) => k + 1))
    for (const entry of methods.split(',')) {
      const [method, steps] = entry.split(':')
      const trial = { task, method, seed, totalSteps: Number(steps), ...(options && { options }) }
      const key = (t) => JSON.stringify([t.task, t.method, t.seed, t.totalSteps, t.options])
      if (results.trials.some((done) => key(done) === key(trial))) continue
      if (performance.now() > 60_000 * Number(values.minutes)) process.exit()
      const outcome = await runTrial(trial, values)
      // A later call may add trials: what these ran on, where the file's environment is of the first call.
      results.trials.push({ ...trial, commit: here.commit, load: here.load, ...outcome })
      console.log(JSON.stringify({ ...trial, ...outcome, curve: undefined }))
      if (out) writeFileSync(out, `${JSON.stringify(results)}\n`)
    }
