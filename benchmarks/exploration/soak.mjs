/**
 * Steps Python environments while their processes are killed at random: nothing may hang, be lost or be left over.
 *
 *     node benchmarks/exploration/soak.mjs --python .venv/bin/python --seconds 600
 *
 * The environments count their own steps, so that a transition that is lost or comes twice shows. Run `pnpm build` first.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gymnasium } from '@tfgraft/rl-exploration'

const { values } = parseArgs({
  options: { python: { type: 'string' }, seconds: { type: 'string', default: '600' } },
})
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

const [numEnvs, workers] = [8, 4]
const env = await gymnasium('Counting-v0', {
  numEnvs,
  workers,
  python: values.python,
  imports: ['counting_env'],
  onCrash: 'restart',
  timeout: 60_000,
})
const everyone = new Set(env.processIds)
const expected = new Int32Array(numEnvs)
await env.reset(1)
let [steps, kills, cuts] = [0, 0, 0]
const end = performance.now() + 1000 * Number(values.seconds)
while (performance.now() < end) {
  if (Math.random() < 0.002) {
    process.kill(env.processIds[Math.floor(Math.random() * workers)], 'SIGKILL')
    kills++
  }
  const { observations, rewards, terminated, truncated, finalObservations } = await env.step(
    new Int32Array(numEnvs),
  )
  for (let i = 0; i < numEnvs; i++) {
    if (truncated[i]) {
      // The last observation that arrived before the cut, and a new episode.
      assert.deepEqual([finalObservations[i], observations[i], rewards[i]], [expected[i], 0, 0])
      expected[i] = 0
      cuts++
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
  for (const pid of env.processIds) everyone.add(pid)
  steps++
}
await env.close()
const alive = [...everyone].filter((pid) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
})
console.log(
  JSON.stringify({ seconds: Number(values.seconds), steps, kills, cuts, processes: everyone.size, alive }),
)
assert.deepEqual(alive, [])
