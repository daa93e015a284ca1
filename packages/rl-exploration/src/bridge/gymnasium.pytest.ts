/**
 * The bridge against real environments. `TFGRAFT_PYTHON` names a Python with gymnasium, numpy and minigrid; without it
 * these tests fail. Run: `npx vitest run --config packages/rl-exploration/vitest.python.config.ts`
 */
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend } from '@tfgraft/backends'
import { afterEach, expect, it } from 'vitest'
import { ppo } from '../agent/ppo'
import { trainAgent } from '../agent/train-agent'
import { rnd } from '../bonuses/rnd'
import { gridWorld } from '../grid-world/grid-world'
import type { WorldName } from '../grid-world/registry'
import type { Numbers } from '../vector-env'
import { type GymnasiumEnv, type GymnasiumOptions, gymnasium } from './gymnasium'

const opened: GymnasiumEnv[] = []
async function open(id: string, options: GymnasiumOptions): Promise<GymnasiumEnv> {
  const env = await gymnasium(id, options)
  opened.push(env)
  return env
}
afterEach(async () => {
  await Promise.all(opened.splice(0).map((env) => env.close()))
})
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
/** Names of files that answers are shared through. */
function sharedFiles(): string[] {
  const shared = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
  return readdirSync(shared).filter(
    (name) => name.startsWith('tfgraft-') && !existsSync(join(shared, name, '.')),
  )
}
/** A module with environments that misbehave, and its folder for PYTHONPATH. */
const folder = mkdtempSync(join(tmpdir(), 'tfgraft-gymnasium-'))
writeFileSync(
  join(folder, 'tfgraft_test_envs.py'),
  `
import time
import gymnasium
import numpy as np
from gymnasium import spaces

class Odd(gymnasium.Env):
    observation_space = spaces.Dict({
        "box": spaces.Box(-1, 1, (2,), np.float64),
        "choice": spaces.Discrete(5),
        "choices": spaces.MultiDiscrete([2, 3]),
        "text": spaces.Text(10),
    })
    action_space = spaces.Box(-1, 1, (2,), np.float32)
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return self.observe(), {}
    def observe(self):
        return {"box": np.array([self.t, -self.t]) / 10, "choice": self.t % 5, "choices": np.array([1, self.t % 3]), "text": "hi"}
    def step(self, action):
        print("this goes to stderr")
        self.t += 1
        if action[0] > 0.9: raise ValueError("an exception in the environment")
        if action[0] < -0.9: time.sleep(60)
        return self.observe(), float(action[0] + action[1]), False, self.t >= 4, {}

class Pixels(gymnasium.Env):
    observation_space = spaces.Dict({
        "screen": spaces.Box(0, 255, (210, 160, 3), np.uint8),
        "clock": spaces.Box(0, 1, (1,), np.float32),
    })
    action_space = spaces.MultiDiscrete([3, 200])
    def reset(self, *, seed=None, options=None):
        self.t = 0
        return self.observe(0), {}
    def observe(self, value):
        return {"screen": np.full((210, 160, 3), value, np.uint8), "clock": np.array([self.t / 8])}
    def step(self, action):
        self.t += 1
        return self.observe(int(action[0]) + int(action[1])), float(action[1]), self.t == 3, False, {}

gymnasium.register("Odd-v0", Odd, disable_env_checker=True)
gymnasium.register("Pixels-v0", Pixels, disable_env_checker=True)
`,
)
process.env.PYTHONPATH = folder
const odd = { imports: ['tfgraft_test_envs'] }

const worlds: WorldName[] = [
  'DoorKey-5x5-v0',
  'MultiRoom-N4-S5-v1',
  'Dynamic-Obstacles-8x8-v0',
  'MemoryS7-v0',
]
it.each(worlds)('%s in Python and here agree, automatic resets included', async (id) => {
  const python = await open(`minigrid:MiniGrid-${id}`, {
    numEnvs: 5,
    workers: 2,
    observationKey: 'image',
    seed: 30,
  })
  const own = gridWorld(id, { numEnvs: 5, seed: 30 })
  expect(await python.reset()).toEqual(own.reset())
  let ends = 0
  for (let t = 0; t < 400; t++) {
    const actions = Int32Array.from(
      { length: 5 },
      (_, i) => (Math.imul(t * 31 + i * 17 + 3, 2654435761) >>> 9) % own.actionSpace.n,
    )
    const a = await python.step(actions)
    const b = own.step(actions)
    expect(a.observations).toEqual(b.observations)
    expect([a.rewards, a.terminated, a.truncated]).toEqual([b.rewards, b.terminated, b.truncated])
    for (let i = 0; i < 5; i++) {
      if (!b.terminated[i] && !b.truncated[i]) continue
      ends++
      const row = (o: unknown) => (o as Uint8Array).slice(147 * i, 147 * (i + 1))
      expect(row(a.finalObservations)).toEqual(row(b.finalObservations))
    }
  }
  expect(ends).toBeGreaterThan(0)
})

it('classic control: spaces, seeds, continuous actions', async () => {
  const env = await open('Pendulum-v1', { numEnvs: 3, workers: 3 })
  expect(env.actionSpace).toEqual({ type: 'box', shape: [1], dtype: 'float32', low: -2, high: 2 })
  const first = Float32Array.from((await env.reset(7)) as Float32Array)
  expect(Float32Array.from((await env.reset(7)) as Float32Array)).toEqual(first)
  const { rewards } = await env.step(Float32Array.of(0, 1, -1))
  expect([...rewards].every((r) => r < 0)).toBe(true)
  const cart = await open('CartPole-v1', { numEnvs: 1 })
  expect(cart.observationSpace).toMatchObject({
    low: Number.NEGATIVE_INFINITY,
    high: Number.POSITIVE_INFINITY,
  })
})

it('dict observations arrive as dicts; what cannot go over the wire is left out; prints do no harm', async () => {
  const env = await open('Odd-v0', { ...odd, numEnvs: 2, workers: 1 })
  await env.reset()
  const step = await env.step(Float32Array.of(0.25, 0.25, 0, 0.5))
  expect([...step.rewards]).toEqual([0.5, 0.5])
  const observations = step.observations as Record<string, Numbers>
  expect(Object.keys(observations)).toEqual(['box', 'choice', 'choices'])
  expect([...observations.choices!]).toEqual([1, 1, 1, 1])
  expect([...observations.box!]).toEqual([...Float32Array.of(0.1, -0.1, 0.1, -0.1)])
})

it('an exception in Python is an error with its traceback, and no process is left', async () => {
  const env = await open('Odd-v0', { ...odd, numEnvs: 2, workers: 2 })
  await env.reset()
  const pids = env.processIds
  await expect(env.step(Float32Array.of(1, 0, 0, 0))).rejects.toThrow(
    'ValueError: an exception in the environment',
  )
  await env.close()
  expect(pids.filter(isAlive)).toEqual([])
})

it('an unknown environment is an error at once', async () => {
  await expect(gymnasium('Nowhere-v9')).rejects.toThrow('Nowhere')
})

it('a step that takes too long is an error', async () => {
  const env = await open('Odd-v0', { ...odd, numEnvs: 1, timeout: 5000 })
  await env.reset()
  await expect(env.step(Float32Array.of(-1, 0))).rejects.toThrow('no answer within 5000 ms')
})

it('a killed worker is an error, or is replaced and its episodes count as cut', async () => {
  const fragile = await open('Odd-v0', { ...odd, numEnvs: 2, workers: 2 })
  await fragile.reset()
  process.kill(fragile.processIds[1]!, 'SIGKILL')
  await expect(fragile.step(new Float32Array(4))).rejects.toThrow('the worker exited with signal SIGKILL')

  const robust = await open('Odd-v0', { ...odd, numEnvs: 2, workers: 2, onCrash: 'restart' })
  await robust.reset()
  await robust.step(new Float32Array(4))
  process.kill(robust.processIds[1]!, 'SIGKILL')
  const cut = await robust.step(new Float32Array(4))
  expect([[...cut.truncated], [...cut.terminated]]).toEqual([
    [0, 1],
    [0, 0],
  ])
  expect([...(cut.observations as Record<string, Numbers>).choice!]).toEqual([2, 0])
  expect((cut.finalObservations as Record<string, Numbers>).choice![1]).toBe(1)
  const next = await robust.step(new Float32Array(4))
  expect([...(next.observations as Record<string, Numbers>).choice!]).toEqual([3, 1])
  expect([...next.truncated]).toEqual([0, 0])
})

it('observations are the same through shared memory, whose file has no name any more', async () => {
  const before = sharedFiles()
  const pixels = { ...odd, numEnvs: 5, workers: 2 }
  const [shared, piped] = [
    await open('Pixels-v0', pixels),
    await open('Pixels-v0', { ...pixels, sharedMemoryBytes: Number.POSITIVE_INFINITY }),
  ]
  expect(shared.actionSpace).toEqual({ type: 'multi-discrete', nvec: [3, 200] })
  // Element by element, megabytes take a test runner seconds.
  const bytesOf = (observations: unknown) =>
    Buffer.concat(
      Object.values(observations as Record<string, Numbers>).map(({ buffer, byteOffset, byteLength }) =>
        Buffer.from(buffer, byteOffset, byteLength),
      ),
    )
  expect(bytesOf(await shared.reset()).equals(bytesOf(await piped.reset()))).toBe(true)
  const descriptors = readdirSync('/proc/self/fd').length
  for (let t = 1; t <= 7; t++) {
    const actions = Int32Array.from({ length: 10 }, (_, k) => (k % 2 ? 10 * t + k : k % 3))
    const [a, b] = [await shared.step(actions), await piped.step(actions)]
    expect(bytesOf(a.observations).equals(bytesOf(b.observations))).toBe(true)
    expect([a.rewards, a.terminated, a.truncated]).toEqual([b.rewards, b.terminated, b.truncated])
    const { screen, clock } = a.observations as Record<string, Numbers>
    const ended = t % 3 === 0
    expect(clock![4]).toBe(ended ? 0 : (t % 3) / 8)
    expect(screen!.at(-1)).toBe(ended ? 0 : 10 * t + 9 + 2)
    expect([Boolean(a.finalObservations), Boolean(b.finalObservations)]).toEqual([ended, ended])
    if (ended) expect(bytesOf(a.finalObservations).equals(bytesOf(b.finalObservations))).toBe(true)
  }
  expect(sharedFiles()).toEqual(before)
  await shared.close()
  expect(readdirSync('/proc/self/fd').length).toBeLessThan(descriptors)
})

it('a worker that is killed with its shared memory is replaced', async () => {
  const env = await open('Pixels-v0', { ...odd, numEnvs: 4, workers: 2, onCrash: 'restart' })
  await env.reset()
  await env.step(new Int32Array(8).fill(1))
  process.kill(env.processIds[0]!, 'SIGKILL')
  const cut = await env.step(new Int32Array(8).fill(2))
  expect([...cut.truncated]).toEqual([1, 1, 0, 0])
  expect((cut.observations as Record<string, Numbers>).screen![0]).toBe(0)
  expect((cut.finalObservations as Record<string, Numbers>).screen![0]).toBe(2)
  expect((cut.observations as Record<string, Numbers>).screen!.at(-1)).toBe(4)
})

it('an agent trains through the bridge', async () => {
  await useBackend('wasm')
  const env = await open('minigrid:MiniGrid-Empty-5x5-v0', {
    numEnvs: 4,
    workers: 2,
    observationKey: 'image',
    seed: 1,
  })
  const setup = rnd().apply(ppo(env, { numSteps: 16, numMinibatches: 2, updateEpochs: 1, warmupRollouts: 1 }))
  const { agent, history } = await trainAgent(setup, { totalSteps: 128 })
  expect(Number.isFinite(history.at(-1)!.policyLoss)).toBe(true)
  agent.dispose()
})
