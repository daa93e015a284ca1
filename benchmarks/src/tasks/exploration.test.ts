import { useBackend } from '@tfgraft/backends'
import { compose, identity, type Method } from '@tfgraft/core'
import { type AgentSetup, episodicCount, rnd } from '@tfgraft/rl-exploration'
import { expect, it } from 'vitest'
import { exploration, liveStatus } from './exploration'

const pictures = async (method: Method<AgentSetup>) => {
  await useBackend('wasm')
  const loaded = await exploration.load({ evaluateOn: 'test' })
  const training = await loaded.start(method, { learningRate: 0.001 }, 0)
  const made = await training.pictures!()
  training.dispose()
  return made
}

it('an explorer leaves a heat map, an episode, and the states that each bonus finds new', async () => {
  const made = await pictures(compose(rnd(), episodicCount()))
  expect(made.map(({ title }) => title.replace(/[:,].*/, ''))).toEqual([
    'Visits in 24 episodes of one layout',
    'An episode',
    ...Array(4).fill('rnd'),
    ...Array(4).fill('episodicCount'),
  ])
  expect(made[0]!.uri).toMatch(/^data:image\/svg\+xml;base64,/)
  const svg = Buffer.from(made[0]!.uri.split(',')[1]!, 'base64').toString()
  // Every step of 24 episodes is somewhere: the most visited cell has the strongest tint.
  expect(svg).toMatch(/fill="#ff8c1a" opacity="0\.90"/)
  for (const { uri } of made.slice(1)) expect(uri).toMatch(/^data:image\/gif;base64,R0lGODlh/)
  // Cut to the rooms: they fill a corner of a grid of 25 x 25 cells of 12 pixels.
  const gif = Buffer.from(made[1]!.uri.split(',')[1]!, 'base64')
  const [width, height] = [gif.readUInt16LE(6), gif.readUInt16LE(8)]
  expect([width % 12, height % 12]).toEqual([0, 0])
  expect(Math.max(width, height)).toBeLessThan(12 * 15)
  expect(svg).toContain(`${width / 12} ${height / 12}"`)
  const steps = made.slice(2, 6).map(({ title }) => Number(title.match(/at step (\d+)/)![1]))
  expect(steps).toEqual([...steps].sort((a, b) => a - b))
})

it('a baseline without bonuses has the first two pictures', async () => {
  expect(await pictures(identity as Method<AgentSetup>)).toHaveLength(2)
})

it('the live line shows return, success, every bonus and environment steps per second', async () => {
  await useBackend('wasm')
  const loaded = await exploration.load({ evaluateOn: 'test' })
  const training = await loaded.start(compose(rnd(), episodicCount()), { learningRate: 0.001 }, 0)
  const stop = new AbortController()
  const shown: (string | undefined)[] = []
  await training.train({
    epochs: 1,
    signal: stop.signal,
    onStep: ({ status }) => {
      shown.push(status)
      if (shown.length === 2) stop.abort()
    },
    onEpoch() {},
  })
  training.dispose()
  // Episodes of this world last 40 steps at most, and a rollout has 64.
  for (const line of shown)
    expect(line).toMatch(
      /^return [\d.]+ {2}success \d+ % {2}rnd [\d.e-]+ {2}episodicCount [\d.e-]+ {2}[\d,]+ steps\/s$/,
    )
  const early = { meanReturn: Number.NaN, successRate: Number.NaN, bonuses: {}, stepsPerSecond: 1234.5 }
  expect(liveStatus(early as Parameters<typeof liveStatus>[0])).toBe('no episode yet  1,235 steps/s')
})
