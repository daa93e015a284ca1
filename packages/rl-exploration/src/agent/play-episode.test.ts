import { describeBackends, expectClose } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { episodicCount } from '../bonuses/episodic-count'
import { rnd } from '../bonuses/rnd'
import { gridWorld } from '../grid-world/grid-world'
import { createAgent } from './agent'
import { playEpisode } from './play-episode'
import { ppo } from './ppo'

const world = (seed: number, numEnvs = 4) => gridWorld('DoorKey-5x5-v0', { numEnvs, seed })
const quick = { numSteps: 16, numMinibatches: 2, updateEpochs: 1, warmupRollouts: 1 }

describeBackends('playEpisode', () => {
  it('keeps pictures, places and rewards until the episode ends', async () => {
    const agent = await createAgent(ppo(world(1), quick), { seed: 1 })
    const played = world(9, 1)
    const { frames, actions, places, totalReward, bonuses } = await playEpisode(agent, played, {
      tileSize: 4,
    })
    expect(frames).toHaveLength(actions.length)
    expect(places).toHaveLength(actions.length)
    expect(frames[0]).toMatchObject({ width: 20, height: 20 })
    expect(actions.length === played.maxSteps || totalReward > 0).toBe(true)
    expect(bonuses).toEqual({})
    agent.dispose()
  })

  it('bonuses rate the states after each action, and learn nothing from it', async () => {
    const setup = rnd().apply(episodicCount().apply(ppo(world(1), quick)))
    const agent = await createAgent(setup, { seed: 1 })
    await agent.update(0)
    const before = await Promise.all(agent.bonuses.map((bonus) => bonus.save()))
    const { actions, places, bonuses } = await playEpisode(agent, world(9), { tileSize: 0, bonuses: true })
    expect(Object.keys(bonuses)).toEqual(['episodicCount', 'rnd'])
    expect(bonuses.rnd).toHaveLength(actions.length)
    expect(Math.min(...bonuses.rnd!)).toBeGreaterThan(0)
    expect(await Promise.all(agent.bonuses.map((bonus) => bonus.save()))).toEqual(before)
    // Counts pay the first visit in an episode only, and at most 1.
    expect(Math.max(...bonuses.episodicCount!)).toBeLessThanOrEqual(1)
    expect(bonuses.episodicCount!.some((reward) => reward > 0)).toBe(true)
    // "done" does nothing: the observation that was just seen comes again. The first one is not a visit, its repetition is.
    actions.slice(1, -1).forEach((action, t) => {
      if (action === 6) expectClose([bonuses.episodicCount![t + 1]!], [0])
    })
    expect(places.length).toBe(actions.length)
    agent.dispose()
  })

  it('bonuses need a world of as many environments as the agent has', async () => {
    const agent = await createAgent(ppo(world(1), quick))
    await expect(playEpisode(agent, world(9, 2), { bonuses: true })).rejects.toThrow(
      "playEpisode: `world` must have 4 environments for `bonuses`, as the agent's own. Received numEnvs=2.",
    )
    agent.dispose()
  })
})
