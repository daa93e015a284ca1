/** What a trained explorer does, in pictures: where it goes, an episode, and what its bonuses find new in it. */
import { type Agent, episodeGif, gridWorld, playEpisode, type WorldName } from '@tfgraft/rl-exploration'
import type { Picture } from '../task'

/** Episodes in a heat map. */
const episodes = 24
/** States that are shown per bonus. */
const shown = 4
/** The same layout for every method, and none that training began with. */
const seed = 987_654

const uri = (type: string, bytes: Uint8Array | string) =>
  `data:image/${type};base64,${Buffer.from(bytes).toString('base64')}`

/** Pictures of `agent` in the world that it was trained in, in batches of `numEnvs`. */
export async function explorationPictures(
  agent: Agent,
  world: WorldName,
  numEnvs: number,
): Promise<Picture[]> {
  const batch = gridWorld(world, { numEnvs, seed })
  const episode = await playEpisode(agent, batch, { tileSize: 8, bonuses: true })
  const outcome = episode.totalReward > 0 ? `solved in ${episode.actions.length} steps` : 'not solved'
  return [
    {
      title: `Visits in ${episodes} episodes of one layout`,
      uri: uri('svg+xml', await visitationMap(agent, world)),
    },
    { title: `An episode, ${outcome}`, uri: uri('gif', episodeGif(episode.frames)) },
    ...Object.entries(episode.bonuses).flatMap(([name, rewards]) =>
      mostNovel(rewards, episode.frames.length).map((frame) => ({
        title: `${name}: ${rewards[frame - 1]!.toPrecision(3)} at step ${frame}`,
        uri: uri('gif', episodeGif([episode.frames[frame]!])),
      })),
    ),
  ]
}

/** Frames after the actions that earned most, in the order of the episode. The last state has no frame. */
function mostNovel(rewards: Float32Array, frames: number): number[] {
  return Array.from({ length: frames - 1 }, (_, t) => t + 1)
    .sort((a, b) => rewards[b - 1]! - rewards[a - 1]!)
    .slice(0, shown)
    .sort((a, b) => a - b)
}

/** The layout, with a tint on every cell by the share of steps spent there, on a scale of square roots. */
async function visitationMap(agent: Agent, world: WorldName): Promise<string> {
  const start = gridWorld(world, { seed })
  start.reset()
  const visits = new Map<string, number>()
  for (let k = 0; k < episodes; k++) {
    const { places } = await playEpisode(agent, gridWorld(world, { seed }), { tileSize: 0 })
    for (const place of places) visits.set(`${place}`, (visits.get(`${place}`) ?? 0) + 1)
  }
  const most = Math.max(...visits.values())
  const tints = [...visits].map(([place, count]) => {
    const [x, y] = place.split(',')
    return `<rect x="${x}" y="${y}" width="1" height="1" fill="#ff8c1a" opacity="${(0.15 + 0.75 * Math.sqrt(count / most)).toFixed(2)}"/>`
  })
  return start.render('svg').replace('</svg>', `${tints.join('')}</svg>`)
}
