/** Lets an agent play one episode of a grid world, and keeps what it saw. */
import type { GridWorld } from '../grid-world/grid-world'
import type { RgbImage } from '../grid-world/render'
import type { Agent } from './agent'
import { episodeBonuses, type PlayedStep } from './episode-bonuses'

/** Options of {@link playEpisode}. */
export interface PlayEpisodeOptions {
  /** Whether the most probable actions are taken. @default false */
  greedy?: boolean
  /** Pixels of a cell in the pictures; 0 makes none. @default 16 */
  tileSize?: number
  /**
   * Whether the agent's bonuses rate every step. They learn nothing from it. The world must be a batch of as many
   * environments as the agent trains in, of the same encoding. @default false
   */
  bonuses?: boolean
}

/** One episode. */
export interface Episode {
  /** The picture before every action, and the last one before the end (the world resets in the step that ends it). */
  frames: RgbImage[]
  actions: number[]
  totalReward: number
  /** Cells visited: `[x, y]` per step, for heat maps. */
  places: [x: number, y: number][]
  /** By name, what each bonus pays for the state after each action: `bonuses.rnd[t]` belongs to `frames[t + 1]`. */
  bonuses: Record<string, Float32Array>
}

/**
 * Plays an episode in environment 0 of a grid world; the others of its batch are stepped along.
 *
 * @throws When bonuses are asked for and the world has another number of environments than the agent.
 * @example
 * ```ts
 * import { useBackend } from '@tfgraft/backends'
 * import { createAgent, gridWorld, playEpisode, ppo, rnd } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * const world = (seed: number) => gridWorld('Empty-5x5-v0', { numEnvs: 4, seed })
 * const agent = await createAgent(rnd().apply(ppo(world(1), { numSteps: 8, warmupRollouts: 1 })))
 * const { actions, totalReward, frames, bonuses } = await playEpisode(agent, world(9), { bonuses: true })
 * console.log(actions.length, totalReward, frames.length, Math.max(...bonuses.rnd))
 * agent.dispose()
 * ```
 */
export async function playEpisode(
  agent: Agent,
  world: GridWorld,
  { greedy = false, tileSize = 16, bonuses = false }: PlayEpisodeOptions = {},
): Promise<Episode> {
  if (bonuses && world.numEnvs !== agent.setup.env.numEnvs)
    throw new Error(
      `playEpisode: \`world\` must have ${agent.setup.env.numEnvs} environments for \`bonuses\`, as the agent's own. ` +
        `Received numEnvs=${world.numEnvs}.`,
    )
  let observations = world.reset()
  const memory = agent.newMemory(world.numEnvs)
  const episode: Episode = { frames: [], actions: [], totalReward: 0, places: [], bonuses: {} }
  const played: PlayedStep[] = []
  for (let over = false; !over; ) {
    if (tileSize > 0) episode.frames.push(world.render('rgb', 0, tileSize))
    const { x, y } = world.agent(0)
    episode.places.push([x, y])
    const actions = await agent.act(observations, greedy, memory)
    episode.actions.push(actions[0]!)
    const before = Float32Array.from(observations)
    const step = world.step(actions)
    observations = step.observations
    episode.totalReward += step.rewards[0]!
    over = Boolean(step.terminated[0] || step.truncated[0])
    if (bonuses) played.push(playedStep(before, actions, step))
  }
  if (bonuses) episode.bonuses = await episodeBonuses(agent, played)
  return episode
}

function playedStep(
  observations: Float32Array,
  actions: Int32Array | Float32Array,
  step: ReturnType<GridWorld['step']>,
): PlayedStep {
  const ended = Uint8Array.from(step.terminated, (end, i) => Number(end || step.truncated[i]!))
  const nextObservations = Float32Array.from(step.observations)
  const size = observations.length / ended.length
  ended.forEach((end, i) => {
    if (end) nextObservations.set(step.finalObservations!.subarray(i * size, (i + 1) * size), i * size)
  })
  return { observations, nextObservations, actions: actions.slice(), ended }
}
