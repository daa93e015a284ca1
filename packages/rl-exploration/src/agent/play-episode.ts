/** Lets an agent play one episode of a grid world, and keeps what it saw. */
import type { GridWorld } from '../grid-world/grid-world'
import type { RgbImage } from '../grid-world/render'
import type { Agent } from './agent'

/** Options of {@link playEpisode}. */
export interface PlayEpisodeOptions {
  /** Whether the most probable actions are taken. @default false */
  greedy?: boolean
  /** Pixels of a cell in the pictures; 0 makes none. @default 16 */
  tileSize?: number
}

/** One episode. */
export interface Episode {
  /** The picture before every action, and the last one before the end (the world resets in the step that ends it). */
  frames: RgbImage[]
  actions: number[]
  totalReward: number
  /** Cells visited: `[x, y]` per step, for heat maps. */
  places: [x: number, y: number][]
}

/**
 * Plays an episode in environment 0 of a grid world; the others of its batch are stepped along.
 *
 * @example
 * ```ts
 * import { useBackend } from '@tfgraft/backends'
 * import { createAgent, gridWorld, playEpisode, ppo } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * const env = gridWorld('Empty-5x5-v0', { numEnvs: 4, seed: 1 })
 * const agent = await createAgent(ppo(env, { numSteps: 8, warmupRollouts: 1 }))
 * const { actions, totalReward, frames } = await playEpisode(agent, gridWorld('Empty-5x5-v0', { seed: 9 }))
 * console.log(actions.length, totalReward, frames.length)
 * agent.dispose()
 * ```
 */
export async function playEpisode(
  agent: Agent,
  world: GridWorld,
  { greedy = false, tileSize = 16 }: PlayEpisodeOptions = {},
): Promise<Episode> {
  let observations = world.reset()
  const memory = agent.newMemory(world.numEnvs)
  const episode: Episode = { frames: [], actions: [], totalReward: 0, places: [] }
  for (;;) {
    if (tileSize > 0) episode.frames.push(world.render('rgb', 0, tileSize))
    const { x, y } = world.agent(0)
    episode.places.push([x, y])
    const actions = await agent.act(observations, greedy, memory)
    episode.actions.push(actions[0]!)
    const step = world.step(actions)
    episode.totalReward += step.rewards[0]!
    if (step.terminated[0] || step.truncated[0]) return episode
    observations = step.observations
  }
}
