/**
 * Steps Python environments while their processes are killed at random: nothing may hang, be lost or be left over.
 *
 *     node benchmarks/exploration/soak.mjs --python .venv/bin/python --seconds 600 --out benchmarks/results/committed/exploration-soak.json
 *
 * The environments count their own steps, so that a transition that is lost or comes twice shows. Half of them answer over
 * pipes, half through shared memory. `--kill-every` is the mean time between two kills in seconds, `--rate` the most batched
 * steps a second (0: as many as there are). Run `pnpm build` first.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { environment } from '@tfgraft/bench/measure'
import { gymnasium } from '@tfgraft/rl-exploration'

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    seconds: { type: 'string', default: '600' },
    'kill-every': { type: 'string', default: '5' },
    rate: { type: 'string', default: '0' },
    out: { type: 'string' },
  },
})
const [seconds, killEvery, rate] = [values.seconds, values['kill-every'], values.rate].map(Number)
const folder = mkdtempSync(join(tmpdir(), 'tfgraft-soak-'))
writeFileSync(
  join(folder, 'counting_env.py'),
  `
import gymnasium
import numpy as np
class Counting(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(0, 1000, (1,), np.int32)
    action_space = gymnasium.spaces.Discrete(2)
    def reset(self, *, seed=None, options=None):
        self.t = 0
        return np.array([0]), {}
    def step(self, action):
        self.t += 1
        return np.array([self.t]), 1.0, self.t == 50, False, {}
gymnasium.register("Counting-v0", Counting, disable_env_checker=True)
`,
)
process.env.PYTHONPATH = folder

const [numEnvs, workers] = [8, 2]
const sharedFolder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
const sharedFiles = () => readdirSync(sharedFolder).filter((name) => name.startsWith('tfgraft-'))
const filesBefore = new Set(sharedFiles())

/** Environments, and what each must say next. */
async function open(sharedMemoryBytes) {
  const env = await gymnasium('Counting-v0', {
    numEnvs,
    workers,
    python: values.python,
    imports: ['counting_env'],
    onCrash: 'restart',
    timeout: 60_000,
    sharedMemoryBytes,
  })
  await env.reset(1)
  return { env, expected: new Int32Array(numEnvs) }
}

const ways = [await open(Number.POSITIVE_INFINITY), await open(0)]
const everyone = new Set()
let [steps, kills, cuts, longest] = [0, 0, 0, 0]
const start = performance.now()
const nextKill = () => performance.now() - 1000 * killEvery * Math.log(1 - Math.random())
let killAt = nextKill()
while (performance.now() - start < 1000 * seconds) {
  for (const { env } of ways) for (const pid of env.processIds) everyone.add(pid)
  if (performance.now() > killAt) {
    const victims = ways[Math.floor(Math.random() * ways.length)].env.processIds
    process.kill(victims[Math.floor(Math.random() * victims.length)], 'SIGKILL')
    kills++
    killAt = nextKill()
  }
  for (const { env, expected } of ways) {
    const before = performance.now()
    cuts += check(await env.step(new Int32Array(numEnvs)), expected)
    longest = Math.max(longest, performance.now() - before)
  }
  steps++
  if (rate > 0) await sleep(Math.max(0, (1000 * steps) / rate - (performance.now() - start)))
}
for (const { env } of ways) {
  for (const pid of env.processIds) everyone.add(pid)
  await env.close()
}

/** Holds a step to what must come. Returns the number of episodes that a kill has cut. */
function check({ observations, rewards, terminated, truncated, finalObservations }, expected) {
  let cut = 0
  for (let i = 0; i < numEnvs; i++) {
    if (truncated[i]) {
      // The last observation that arrived before the cut, and a new episode.
      assert.deepEqual([finalObservations[i], observations[i], rewards[i]], [expected[i], 0, 0])
      expected[i] = 0
      cut++
      continue
    }
    expected[i]++
    assert.equal(rewards[i], 1)
    assert.equal(terminated[i], Number(expected[i] === 50))
    if (terminated[i]) {
      assert.equal(finalObservations[i], 50)
      expected[i] = 0
    }
    assert.equal(observations[i], expected[i])
  }
  return cut
}

const isAlive = (pid) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
const result = {
  seconds,
  steps,
  transitions: steps * numEnvs * ways.length,
  kills,
  /** Environments whose episode a kill cut. */
  cuts,
  processes: everyone.size,
  longestStepMs: Math.round(longest),
  processesLeft: [...everyone].filter(isAlive).length,
  sharedFilesLeft: sharedFiles().filter((name) => !filesBefore.has(name)).length,
}
console.log(JSON.stringify(result))
if (values.out)
  writeFileSync(values.out, `${JSON.stringify({ environment: environment('none'), ...result }, null, 1)}\n`)
assert.deepEqual([result.processesLeft, result.sharedFilesLeft], [0, 0])
// Every kill cuts the episodes of one worker: those of four environments. The last may have come too late to show.
assert.ok(cuts <= kills * 4 && cuts >= (kills - 1) * 4, `${kills} kills, ${cuts} cuts`)
