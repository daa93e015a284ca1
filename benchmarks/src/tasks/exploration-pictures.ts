/** What a trained explorer does, in pictures: where it goes, an episode, and what its bonuses find new in it. */
import {
  type Agent,
  episodeGif,
  type GridWorld,
  gridWorld,
  playEpisode,
  type RgbImage,
  type WorldName,
} from '@tfgraft/rl-exploration'
import type { Picture } from '../task'

/** Episodes in a heat map. */
const episodes = 24
/** States that are shown per bonus. */
const shown = 4
/** The same layout for every method, and none that training began with. */
const seed = 987_654

/** Pixels of a cell. */
const tile = 12

const uri = (type: string, bytes: Uint8Array | string) =>
  `data:image/${type};base64,${Buffer.from(bytes).toString('base64')}`

/** Pictures of `agent` in the world that it was trained in, in batches of `numEnvs`. */
export async function explorationPictures(
  agent: Agent,
  world: WorldName,
  numEnvs: number,
): Promise<Picture[]> {
  const layout = gridWorld(world, { seed })
  layout.reset()
  const part = occupied(layout)
  // Environment 0 of the batch has the same seed, and so the same layout.
  const batch = gridWorld(world, { numEnvs, seed })
  const episode = await playEpisode(agent, batch, { tileSize: tile, bonuses: true })
  const frames = episode.frames.map((frame) => crop(frame, part))
  const outcome = episode.totalReward > 0 ? `solved in ${episode.actions.length} steps` : 'not solved'
  return [
    {
      title: `Visits in ${episodes} episodes of one layout`,
      uri: uri('svg+xml', await visitationMap(agent, world, layout, part)),
    },
    { title: `An episode, ${outcome}`, uri: uri('gif', episodeGif(frames)) },
    ...Object.entries(episode.bonuses).flatMap(([name, rewards]) =>
      mostNovel(rewards, frames.length).map((frame) => ({
        title: `${name}: ${rewards[frame - 1]!.toPrecision(3)} at step ${frame}`,
        uri: uri('gif', episodeGif([frames[frame]!])),
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

/** A part of the grid, in cells. */
interface Part {
  x: number
  y: number
  width: number
  height: number
}

/** The smallest part that holds everything but empty cells: worlds of rooms fill a corner of their grid. */
function occupied(world: GridWorld): Part {
  const empty = 1
  const cells = world.layout()
  const xs: number[] = []
  const ys: number[] = []
  for (let k = 0; k < cells.length; k += 3) {
    if (cells[k] === empty) continue
    xs.push((k / 3) % world.width)
    ys.push(Math.floor(k / 3 / world.width))
  }
  const [x, y] = [Math.min(...xs), Math.min(...ys)]
  return { x, y, width: Math.max(...xs) - x + 1, height: Math.max(...ys) - y + 1 }
}

function crop({ width, data }: RgbImage, part: Part): RgbImage {
  const [pixels, rows] = [part.width * tile, part.height * tile]
  const out = new Uint8Array(3 * pixels * rows)
  for (let row = 0; row < rows; row++) {
    const from = 3 * ((part.y * tile + row) * width + part.x * tile)
    out.set(data.subarray(from, from + 3 * pixels), 3 * row * pixels)
  }
  return { width: pixels, height: rows, data: out }
}

/** The layout, with a tint on every cell by the share of steps spent there, on a scale of square roots. */
async function visitationMap(agent: Agent, world: WorldName, layout: GridWorld, part: Part): Promise<string> {
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
  return layout
    .render('svg')
    .replace(/viewBox="[^"]*"/, `viewBox="${part.x} ${part.y} ${part.width} ${part.height}"`)
    .replace('</svg>', `${tints.join('')}</svg>`)
}
