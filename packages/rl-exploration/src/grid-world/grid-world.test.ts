/** Layouts, observations, rewards and ends against traces of Python's `minigrid`. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { gridWorld } from './grid-world'
import { NumpyRandom } from './numpy-random'
import { type WorldName, worldNames } from './registry'

interface Trace {
  id: WorldName
  seed: number
  w: number
  h: number
  max_steps: number
  pos: [number, number]
  dir: number
  mission: string
  grid: string
  obs0: string
  steps: [
    action: number,
    direction: number,
    reward: number,
    terminated: 0 | 1,
    truncated: 0 | 1,
    obs: string,
  ][]
}

const fixture = (name: string) => new URL(`../../fixtures/${name}`, import.meta.url)
const lines = <T>(name: string): T[] =>
  gunzipSync(readFileSync(fixture(name)))
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

function replay(trace: Trace): void {
  const env = gridWorld(trace.id, { seed: trace.seed, autoreset: 'off' })
  expect(base64(env.reset())).toBe(trace.obs0)
  expect([env.width, env.height, env.maxSteps]).toEqual([trace.w, trace.h, trace.max_steps])
  expect(base64(env.layout())).toBe(trace.grid)
  expect(env.agent()).toEqual({ x: trace.pos[0], y: trace.pos[1], direction: trace.dir })
  expect(env.mission()).toBe(trace.mission)
  trace.steps.forEach(([action, direction, reward, terminated, truncated, image], t) => {
    const step = env.step(Int32Array.of(action))
    const at = `${trace.id}, seed ${trace.seed}, step ${t}`
    expect([env.directions[0], step.terminated[0], step.truncated[0]], at).toEqual([
      direction,
      terminated,
      truncated,
    ])
    expect(step.rewards[0], at).toBe(Math.fround(reward))
    expect(base64(step.observations), at).toBe(image)
  })
}

/** A trace as its actions, what was not an everyday outcome, and a hash of every byte that Python showed. */
interface Digest {
  id: WorldName
  seed: number
  mission: string
  actions: string
  ends: [step: number, reward: number, terminated: 0 | 1, truncated: 0 | 1][]
  sha256: string
}

function replayDigest(digest: Digest): void {
  const env = gridWorld(digest.id, { seed: digest.seed, autoreset: 'off' })
  const first = env.reset()
  const hash = createHash('sha256').update(env.layout()).update(first)
  const ends: Digest['ends'] = []
  expect(env.mission()).toBe(digest.mission)
  for (const [t, action] of [...digest.actions].entries()) {
    const { observations, rewards, terminated, truncated } = env.step(Int32Array.of(Number(action)))
    hash.update(observations).update(Uint8Array.of(env.directions[0]!, terminated[0]!, truncated[0]!))
    if (rewards[0] || terminated[0] || truncated[0])
      ends.push([t, rewards[0]!, terminated[0] as 0 | 1, truncated[0] as 0 | 1])
  }
  expect(ends).toEqual(digest.ends.map(([t, reward, ...rest]) => [t, Math.fround(reward), ...rest]))
  expect(hash.digest('hex')).toBe(digest.sha256)
}

describe('gridWorld', () => {
  it.each(lines<Trace>('minigrid_traces.jsonl.gz').map((trace) => [trace.id, trace.seed, trace] as const))(
    '%s, seed %i: as in Python',
    (_, __, trace) => replay(trace),
  )

  const digests = lines<Digest>('minigrid_digests.jsonl.gz')
  it.each(worldNames)(
    '%s: as in Python when solved, wandered about in, and continued after the end',
    (id) => {
      const own = digests.filter((digest) => digest.id === id)
      expect(own.length).toBeGreaterThan(2)
      expect(own.some(({ ends }) => ends.some(([, reward]) => reward > 0))).toBe(true)
      own.forEach(replayDigest)
    },
  )
})

describe('numpy random numbers', () => {
  const golden = JSON.parse(readFileSync(fixture('numpy_pcg64.json'), 'utf8'))
  it('are those of numpy, integers, doubles, choices and shuffles', () => {
    const random = new NumpyRandom(42)
    const bounds = [2, 3, 7, 10, 100, 1000, 2, 5, 6, 4]
    expect(golden.ints.map((_: number, i: number) => random.integers(0, bounds[i % 10]!))).toEqual(
      golden.ints,
    )
    expect(golden.uni.map(() => random.random())).toEqual(golden.uni)
    const range = Array.from({ length: 8 }, (_, k) => 3 + k)
    expect(golden.c.map(() => random.choice(range))).toEqual(golden.c)
    const shuffled = Array.from({ length: 12 }, (_, k) => k)
    random.shuffle(shuffled)
    expect(shuffled).toEqual(golden.sh)
  })
})
