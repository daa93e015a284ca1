/**
 * Steps per second of the grid worlds, observations and automatic resets included, on one core, beside Python's minigrid.
 *
 *     node benchmarks/exploration/throughput.mjs [--python .venv/bin/python] [--only DoorKey] [--out file.json]
 *
 * 1024 environments here; Python's environments are stepped one by one, as its vector environments do, with the same
 * uniformly random actions, in the same run. Rates are per second of processor time on both sides, so that other work
 * on the machine counts little. Run `pnpm build` first.
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { environment, median } from '@tfgraft/bench/measure'
import { gridWorld, worldNames } from '@tfgraft/rl-exploration'

const { values } = parseArgs({
  options: { python: { type: 'string' }, only: { type: 'string', default: '' }, out: { type: 'string' } },
})
const NUM_ENVS = 1024
const STEPS = 100
const ROUNDS = 7

/** Median rate over rounds of `STEPS` steps, in steps of single environments a second of processor time. */
function rate(id) {
  const env = gridWorld(id, { numEnvs: NUM_ENVS, seed: 1 })
  env.reset()
  const actions = Array.from({ length: 64 }, () =>
    Int32Array.from({ length: NUM_ENVS }, () => Math.floor(Math.random() * env.actionSpace.n)),
  )
  // Long enough that episodes end at different times.
  for (let t = 0; t < 200; t++) env.step(actions[t % 64])
  const rates = Array.from({ length: ROUNDS }, (_, round) => {
    const start = process.cpuUsage()
    for (let t = 0; t < STEPS; t++) env.step(actions[(7 * t + round) % 64])
    const { user, system } = process.cpuUsage(start)
    return (STEPS * NUM_ENVS * 1e6) / (user + system)
  })
  return median(rates)
}

/** Worlds whose rate in Python is measured too: one of each kind. */
const COMPARED = new Set([
  'Empty-8x8-v0',
  'DoorKey-8x8-v0',
  'MultiRoom-N4-S5-v1',
  'KeyCorridorS3R3-v0',
  'Dynamic-Obstacles-8x8-v0',
])

const PYTHON_SOURCE = `
import random, sys, time, warnings
warnings.filterwarnings("ignore")
import gymnasium, minigrid
env = gymnasium.make("MiniGrid-" + sys.argv[1], disable_env_checker=True).unwrapped
env.reset(seed=1)
actions = [random.randrange(env.action_space.n) for _ in range(4000)]
start = time.process_time()
for a in actions:
    _, _, terminated, truncated, _ = env.step(a)
    if terminated or truncated:
        env.reset()
print(len(actions) / (time.process_time() - start))
`

function pythonRate(id) {
  const { stdout, stderr, status } = spawnSync(values.python, ['-c', PYTHON_SOURCE, id], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${values.python} failed.\n${stderr}`)
  return Number(stdout)
}

const rows = worldNames
  .filter((id) => id.includes(values.only))
  .map((id) => {
    const stepsPerSecond = Math.round(rate(id))
    const python = values.python && COMPARED.has(id) ? Math.round(pythonRate(id)) : undefined
    const row = { id, stepsPerSecond, python, ratio: python && Math.round(stepsPerSecond / python) }
    console.log(JSON.stringify(row))
    return row
  })
const slowest = rows.reduce((a, b) => (a.stepsPerSecond < b.stepsPerSecond ? a : b))
console.log(`slowest: ${slowest.id}, ${slowest.stepsPerSecond} steps/s`)
if (values.out)
  writeFileSync(
    values.out,
    `${JSON.stringify({ environment: environment('wasm kernel'), numEnvs: NUM_ENVS, rows }, null, 1)}\n`,
  )
