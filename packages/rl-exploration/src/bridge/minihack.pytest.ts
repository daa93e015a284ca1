/**
 * The bridge against MiniHack. `TFGRAFT_MINIHACK_PYTHON` names a Python with minihack, for which nle wants a Gymnasium of
 * its own choice; without the variable, `TFGRAFT_PYTHON` must have it. See the package's README for its installation.
 */
import { execFileSync } from 'node:child_process'
import { useBackend } from '@tfgraft/backends'
import { expect, it } from 'vitest'
import { ppo } from '../agent/ppo'
import { trainAgent } from '../agent/train-agent'
import { rnd } from '../bonuses/rnd'
import { gymnasium } from './gymnasium'

const python = process.env.TFGRAFT_MINIHACK_PYTHON ?? process.env.TFGRAFT_PYTHON
const id = 'MiniHack-KeyRoom-S5-v0'
// NetHack pays no heed to the seed of `reset`; MiniHack's own list of seeds makes levels and dice repeatable.
const kwargs = { observation_keys: ['chars_crop'], seeds: [7] }
const options = { python, imports: ['minihack'], kwargs, observationKey: 'chars_crop' }
const steps = 300

/** What one environment says without a bridge: observations and rewards of `steps` fixed actions. */
const played = (): { observations: number[]; rewards: number[]; ends: number } =>
  JSON.parse(
    execFileSync(
      python!,
      [
        '-c',
        `
import json, gymnasium, minihack
env = gymnasium.make("${id}", **json.loads('${JSON.stringify(kwargs)}'))
observation, _ = env.reset()
observations, rewards, ends = [*observation["chars_crop"].ravel().tolist()], [], 0
for t in range(${steps}):
    observation, reward, terminated, truncated, _ = env.step((7 * t + 3) % 10)
    rewards.append(float(reward))
    if terminated or truncated:
        ends += 1
        observation, _ = env.reset()
    observations += observation["chars_crop"].ravel().tolist()
print(json.dumps({"observations": observations, "rewards": rewards, "ends": ends}))
`,
      ],
      { encoding: 'utf8', maxBuffer: 2 ** 26 },
    ),
  )

it('what MiniHack says arrives as it says it, resets included', async () => {
  const env = await gymnasium(id, options)
  expect(env.observationSpace).toEqual({ type: 'box', shape: [9, 9], dtype: 'uint8', low: 0, high: 255 })
  expect(env.actionSpace).toMatchObject({ type: 'discrete', n: 10 })
  const observations = [...((await env.reset()) as Uint8Array)]
  const rewards: number[] = []
  let ends = 0
  for (let t = 0; t < steps; t++) {
    const step = await env.step(Int32Array.of((7 * t + 3) % 10))
    rewards.push(step.rewards[0]!)
    ends += step.terminated[0]! || step.truncated[0]!
    for (const value of step.observations as Uint8Array) observations.push(value)
  }
  await env.close()
  const expected = played()
  expect(expected.ends).toBeGreaterThan(0)
  expect({ observations, rewards, ends }).toEqual({ ...expected, rewards: expected.rewards.map(Math.fround) })
})

it('a curious agent trains in the KeyRoom of MiniHack', async () => {
  await useBackend('wasm')
  const env = await gymnasium(id, { ...options, numEnvs: 4, workers: 2 })
  const setup = rnd().apply(ppo(env, { numSteps: 16, numMinibatches: 2, updateEpochs: 1, warmupRollouts: 1 }))
  const { agent, history } = await trainAgent(setup, { totalSteps: 128 })
  expect(Number.isFinite(history.at(-1)!.policyLoss)).toBe(true)
  expect(history.at(-1)!.bonuses.rnd).toBeGreaterThan(0)
  agent.dispose()
  await env.close()
})
