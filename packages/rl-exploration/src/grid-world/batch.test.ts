/** What the batch adds to single worlds: automatic resets, saving, encodings, pictures, errors. */
import { expect, it } from 'vitest'
import { gridWorld } from './grid-world'
import { type WorldName, worldNames } from './registry'

/** A fixed sequence of pseudo-random actions. */
function actionsAt(t: number, numEnvs: number, numActions: number): Int32Array {
  return Int32Array.from(
    { length: numEnvs },
    (_, i) => (Math.imul(t * 7919 + i * 104729 + 17, 2654435761) >>> 8) % numActions,
  )
}

it.each(worldNames)('%s: every environment of a batch does what it does alone', (id) => {
  const batch = gridWorld(id, { numEnvs: 5, seed: 40 })
  const alone = [0, 3].map((i) => ({ i, env: gridWorld(id, { seed: 40 + i }) }))
  const first = batch.reset()
  for (const { i, env } of alone) expect(env.reset()).toEqual(first.slice(147 * i, 147 * (i + 1)))
  for (let t = 0; t < 300; t++) {
    const actions = actionsAt(t, 5, batch.actionSpace.n)
    const step = batch.step(actions)
    for (const { i, env } of alone) {
      const own = env.step(actions.subarray(i, i + 1))
      expect(own.observations).toEqual(step.observations.slice(147 * i, 147 * (i + 1)))
      expect([own.rewards[0], own.terminated[0], own.truncated[0]]).toEqual([
        step.rewards[i],
        step.terminated[i],
        step.truncated[i],
      ])
      if (step.terminated[i] || step.truncated[i])
        expect(own.finalObservations).toEqual(step.finalObservations!.slice(147 * i, 147 * (i + 1)))
    }
  }
})

it('the three ways to reset give the same episodes', () => {
  const id: WorldName = 'LavaCrossingS9N1-v0'
  const make = (autoreset: 'same-step' | 'next-step' | 'off') => {
    const env = gridWorld(id, { seed: 5, autoreset })
    env.reset()
    return env
  }
  const [same, next, off] = [make('same-step'), make('next-step'), make('off')]
  let ends = 0
  for (let t = 0; t < 400; t++) {
    const action = actionsAt(t, 1, 7)
    const a = same.step(action)
    const b = next.step(action)
    const c = off.step(action)
    const ended = a.terminated[0]! | a.truncated[0]!
    expect([b.rewards[0], b.terminated[0], c.rewards[0], c.terminated[0]]).toEqual([
      a.rewards[0],
      a.terminated[0],
      a.rewards[0],
      a.terminated[0],
    ])
    expect(c.observations).toEqual(b.observations)
    if (!ended) {
      expect(a.observations).toEqual(b.observations)
      expect(a.finalObservations).toBeUndefined()
      continue
    }
    ends++
    expect(a.finalObservations).toEqual(b.observations)
    // The step after an end only starts the next episode: its action is ignored.
    const restarted = next.step(Int32Array.of(2))
    expect([restarted.rewards[0], restarted.terminated[0], restarted.truncated[0]]).toEqual([0, 0, 0])
    expect(restarted.observations).toEqual(a.observations)
    expect(off.reset()).toEqual(a.observations)
  }
  expect(ends).toBeGreaterThan(5)
})

it('a reset with a seed starts over; one without goes on', () => {
  const env = gridWorld('DoorKey-6x6-v0', { numEnvs: 3, seed: 9 })
  const first = env.reset().slice()
  const second = env.reset().slice()
  expect(second).not.toEqual(first)
  expect(env.reset(9)).toEqual(first)
  expect(env.reset()).toEqual(second)
})

it('saved worlds go on as if nothing had happened', () => {
  const make = () => gridWorld('Dynamic-Obstacles-8x8-v0', { numEnvs: 4, seed: 2 })
  const env = make()
  env.reset()
  for (let t = 0; t < 50; t++) env.step(actionsAt(t, 4, 3))
  const restored = make()
  restored.load(env.save())
  for (let t = 50; t < 100; t++) {
    const actions = actionsAt(t, 4, 3)
    const [a, b] = [restored.step(actions), env.step(actions)]
    expect(a.observations).toEqual(b.observations)
    expect([a.rewards, a.terminated, a.truncated]).toEqual([b.rewards, b.terminated, b.truncated])
  }
  const other = (numEnvs: number) => () =>
    gridWorld('MiniGrid-Dynamic-Obstacles-8x8-v0', { numEnvs }).load(env.save())
  expect(other(4)).not.toThrow()
  expect(other(3)).toThrow('the state must come from the same `numEnvs`')
  // Of the same size, and so with states of the same length.
  expect(() => gridWorld('Empty-8x8-v0', { numEnvs: 4 }).load(env.save())).toThrow(
    'gridWorld: the state must come from Empty-8x8-v0. Received that of Dynamic-Obstacles-8x8-v0.',
  )
})

it('the last two observations stay valid', () => {
  const env = gridWorld('Empty-8x8-v0', { seed: 1 })
  const before = env.reset()
  const copy = before.slice()
  env.step(Int32Array.of(0))
  expect(before).toEqual(copy)
})

it('one-hot observations have one object, colour and state per cell', () => {
  const env = gridWorld('DoorKey-8x8-v0', { numEnvs: 2, seed: 3, encoding: 'one-hot' })
  const plain = gridWorld('DoorKey-8x8-v0', { numEnvs: 2, seed: 3, encoding: 'flat' })
  const hot = env.reset()
  const image = plain.reset()
  expect([env.observationSpace.shape, plain.observationSpace.shape]).toEqual([[7, 7, 20], [147]])
  for (let cell = 0; cell < 98; cell++) {
    const one = [...hot.slice(20 * cell, 20 * cell + 20)]
    const [object, color, state] = image.slice(3 * cell, 3 * cell + 3)
    const expected = new Array(20).fill(0)
    for (const k of [object!, 11 + color!, 17 + state!]) expected[k] = 1
    expect(one).toEqual(expected)
  }
})

it('pictures show the world', () => {
  const env = gridWorld('Empty-5x5-v0', { seed: 0 })
  env.reset()
  expect(env.render('ascii')).toBe(
    ['WGWGWGWGWG', 'WG>>    WG', 'WG      WG', 'WG    GGWG', 'WGWGWGWGWG'].join('\n'),
  )
  const { width, height, data } = env.render('rgb', 0, 8)
  expect([width, height, data.length]).toEqual([40, 40, 40 * 40 * 3])
  const pixel = (x: number, y: number) => [...data.slice(3 * (y * 40 + x), 3 * (y * 40 + x) + 3)]
  expect(pixel(28, 28)).toEqual([0, 255, 0])
  expect(pixel(11, 12)).toEqual([255, 0, 0])
  expect(pixel(20, 20)).toEqual([0, 0, 0])
  const svg = env.render('svg')
  expect(svg).toContain(
    '<polygon points="0.12,0.19 0.87,0.5 0.12,0.81" fill="#f00" transform="translate(1 1)',
  )
  expect(svg.match(/fill="rgb\(0,255,0\)"/g)).toHaveLength(1)
})

it('say what is wrong', () => {
  expect(() => gridWorld('Nowhere-v0' as WorldName)).toThrow('gridWorld: `id` must be one of Empty-5x5-v0')
  expect(() => gridWorld('Empty-5x5-v0', { numEnvs: 0 })).toThrow(
    'gridWorld: `numEnvs` must be a positive integer. Received numEnvs=0.',
  )
  expect(() => gridWorld('Empty-5x5-v0', { autoreset: 'never' as 'off' })).toThrow('Received autoreset=never')
  expect(() => gridWorld('Empty-5x5-v0', { encoding: 'rgb' as 'flat' })).toThrow('Received encoding=rgb')
  expect(() => gridWorld('Empty-5x5-v0').step(new Int32Array(2))).toThrow('Received 2 for 1')
  expect(() => gridWorld('Empty-5x5-v0').agent(1)).toThrow('Received env=1')
  expect(() => gridWorld('Empty-5x5-v0', { seed: -1 })).toThrow('Received seed=-1')
})
