/** Every grid world by its MiniGrid name: size, time limit, layout, and the rule that ends an episode. */
import type { LayoutBuilder } from './builder'
import { COLOR_NAMES, LAVA, WALL } from './cells'
import { crossing } from './layouts/crossing'
import { lockedRoom } from './layouts/locked-room'
import { memory } from './layouts/memory'
import { multiRoom } from './layouts/multi-room'
import { fullMaze, type MazeOptions, smallMaze } from './layouts/obstructed-maze'
import { doorKey, dynamicObstacles, empty, fourRooms, lavaGap } from './layouts/simple'
import { keyCorridor, unlock, unlockPickup } from './layouts/unlock'

/**
 * What ends an episode besides goal, lava and time:
 * `pickup` the target is carried, `open` the target door is open, `memory` a place at the end of the hallway,
 * `dynamic` running into something (and obstacles move).
 */
export type Rule = 'goal' | 'pickup' | 'open' | 'memory' | 'dynamic'

export interface WorldSpec {
  width: number
  height: number
  maxSteps: number
  /** Whether walls do not block sight. */
  seeThrough: boolean
  rule: Rule
  /** Number of actions: 7, or 3 where obstacles move. */
  numActions: number
  numObstacles: number
  build: (builder: LayoutBuilder) => void
  /** The mission in words; colours that it names are in MiniGrid's numbering. */
  mission: (colors: ArrayLike<number>) => string
}

type Partly = Pick<WorldSpec, 'width' | 'height' | 'maxSteps' | 'build'> &
  Partial<WorldSpec> & { text: string }

const spec = ({ text, ...given }: Partly): WorldSpec => ({
  seeThrough: false,
  rule: 'goal',
  numActions: 7,
  numObstacles: 0,
  mission: (colors) => {
    let k = 0
    return text.replace(/%/g, () => COLOR_NAMES[colors[k++]!]!)
  },
  ...given,
})
const square = (size: number) => ({ width: size, height: size })
const twoRooms = { width: 11, height: 6 }

const GOAL_TEXT = 'get to the green goal square'
const emptyWorld = (size: number, random = false) =>
  spec({ ...square(size), maxSteps: 4 * size ** 2, seeThrough: true, build: empty(random), text: GOAL_TEXT })
const doorKeyWorld = (size: number) =>
  spec({
    ...square(size),
    maxSteps: 10 * size ** 2,
    build: doorKey,
    text: 'use the key to open the door and then get to the goal',
  })
const multiRoomWorld = (rooms: number, largest: number) =>
  spec({
    ...square(25),
    maxSteps: 20 * rooms,
    build: multiRoom(rooms, largest),
    text: 'traverse the rooms to get to the goal',
  })
const keyCorridorWorld = (size: number, rows: number) =>
  spec({
    width: 3 * (size - 1) + 1,
    height: rows * (size - 1) + 1,
    maxSteps: 30 * size ** 2,
    rule: 'pickup',
    build: keyCorridor(size, rows),
    text: 'pick up the % ball',
  })
const unlockPickupWorld = (maxSteps: number, blocked: boolean) =>
  spec({ ...twoRooms, maxSteps, rule: 'pickup', build: unlockPickup(blocked), text: 'pick up the % box' })
const smallMazeWorld = (options: MazeOptions) =>
  spec({ ...twoRooms, maxSteps: 288, rule: 'pickup', build: smallMaze(options), text: 'pick up the % ball' })
/** `visited`: rooms that a solution may visit, which the time limit is 4 x 36 steps for each. */
const mazeWorld = (
  agentRoom: readonly [number, number],
  quarters: number,
  visited: number,
  version: 0 | 1,
  { keyInBox = true, blocked = true }: Partial<MazeOptions> = {},
) =>
  spec({
    ...square(16),
    maxSteps: 144 * visited,
    rule: 'pickup',
    build: fullMaze({ keyInBox, blocked, agentRoom, quarters, version }),
    text: 'pick up the % ball',
  })
const memoryWorld = (size: number, randomLength = false) =>
  spec({
    ...square(size),
    maxSteps: 5 * size ** 2,
    rule: 'memory',
    build: memory(randomLength),
    text: 'go to the matching object at the end of the hallway',
  })
const LAVA_TEXT = 'avoid the lava and get to the green goal square'
const lavaGapWorld = (size: number) =>
  spec({ ...square(size), maxSteps: 4 * size ** 2, build: lavaGap, text: LAVA_TEXT })
const crossingWorld = (size: number, crossings: number, obstacle: number) =>
  spec({
    ...square(size),
    maxSteps: 4 * size ** 2,
    build: crossing(crossings, obstacle),
    text: obstacle === LAVA ? LAVA_TEXT : 'find the opening and get to the green goal square',
  })
const dynamicWorld = (size: number, obstacles: number, random = false) =>
  spec({
    ...square(size),
    maxSteps: 4 * size ** 2,
    seeThrough: true,
    rule: 'dynamic',
    numActions: 3,
    // MiniGrid halves what would crowd the grid.
    numObstacles: obstacles <= size / 2 + 1 ? obstacles : Math.floor(size / 2),
    build: dynamicObstacles(obstacles <= size / 2 + 1 ? obstacles : Math.floor(size / 2), random),
    text: GOAL_TEXT,
  })

/** All worlds. In Python their names start with `MiniGrid-`. */
export const worlds = {
  'Empty-5x5-v0': emptyWorld(5),
  'Empty-Random-5x5-v0': emptyWorld(5, true),
  'Empty-6x6-v0': emptyWorld(6),
  'Empty-Random-6x6-v0': emptyWorld(6, true),
  'Empty-8x8-v0': emptyWorld(8),
  'Empty-16x16-v0': emptyWorld(16),
  'FourRooms-v0': spec({ ...square(19), maxSteps: 100, build: fourRooms, text: 'reach the goal' }),
  'DoorKey-5x5-v0': doorKeyWorld(5),
  'DoorKey-6x6-v0': doorKeyWorld(6),
  'DoorKey-8x8-v0': doorKeyWorld(8),
  'DoorKey-16x16-v0': doorKeyWorld(16),
  'MultiRoom-N2-S4-v0': multiRoomWorld(2, 4),
  // Its name says four rooms; the registered version 0 has six.
  'MultiRoom-N4-S5-v0': multiRoomWorld(6, 5),
  'MultiRoom-N4-S5-v1': multiRoomWorld(4, 5),
  'MultiRoom-N6-v0': multiRoomWorld(6, 10),
  'KeyCorridorS3R1-v0': keyCorridorWorld(3, 1),
  'KeyCorridorS3R2-v0': keyCorridorWorld(3, 2),
  'KeyCorridorS3R3-v0': keyCorridorWorld(3, 3),
  'KeyCorridorS4R3-v0': keyCorridorWorld(4, 3),
  'KeyCorridorS5R3-v0': keyCorridorWorld(5, 3),
  'KeyCorridorS6R3-v0': keyCorridorWorld(6, 3),
  'Unlock-v0': spec({ ...twoRooms, maxSteps: 288, rule: 'open', build: unlock, text: 'open the door' }),
  'UnlockPickup-v0': unlockPickupWorld(288, false),
  'BlockedUnlockPickup-v0': unlockPickupWorld(576, true),
  'LockedRoom-v0': spec({
    ...square(19),
    maxSteps: 190,
    build: lockedRoom,
    text: 'get the % key from the % room, unlock the % door and go to the goal',
  }),
  'ObstructedMaze-1Dl-v0': smallMazeWorld({ keyInBox: false, blocked: false }),
  'ObstructedMaze-1Dlh-v0': smallMazeWorld({ keyInBox: true, blocked: false }),
  'ObstructedMaze-1Dlhb-v0': smallMazeWorld({ keyInBox: true, blocked: true }),
  'ObstructedMaze-2Dl-v0': mazeWorld([2, 1], 1, 4, 0, { keyInBox: false, blocked: false }),
  'ObstructedMaze-2Dlh-v0': mazeWorld([2, 1], 1, 4, 0, { blocked: false }),
  'ObstructedMaze-2Dlhb-v0': mazeWorld([2, 1], 1, 4, 0),
  'ObstructedMaze-2Dlhb-v1': mazeWorld([2, 1], 1, 4, 1),
  'ObstructedMaze-1Q-v0': mazeWorld([1, 1], 1, 5, 0),
  'ObstructedMaze-1Q-v1': mazeWorld([1, 1], 1, 5, 1),
  'ObstructedMaze-2Q-v0': mazeWorld([2, 1], 2, 11, 0),
  'ObstructedMaze-2Q-v1': mazeWorld([2, 1], 2, 11, 1),
  'ObstructedMaze-Full-v0': mazeWorld([1, 1], 4, 25, 0),
  'ObstructedMaze-Full-v1': mazeWorld([1, 1], 4, 25, 1),
  'MemoryS7-v0': memoryWorld(7),
  'MemoryS9-v0': memoryWorld(9),
  'MemoryS11-v0': memoryWorld(11),
  'MemoryS13-v0': memoryWorld(13),
  'MemoryS13Random-v0': memoryWorld(13, true),
  'MemoryS17Random-v0': memoryWorld(17, true),
  'LavaGapS5-v0': lavaGapWorld(5),
  'LavaGapS6-v0': lavaGapWorld(6),
  'LavaGapS7-v0': lavaGapWorld(7),
  'LavaCrossingS9N1-v0': crossingWorld(9, 1, LAVA),
  'LavaCrossingS9N2-v0': crossingWorld(9, 2, LAVA),
  'LavaCrossingS9N3-v0': crossingWorld(9, 3, LAVA),
  'LavaCrossingS11N5-v0': crossingWorld(11, 5, LAVA),
  'SimpleCrossingS9N1-v0': crossingWorld(9, 1, WALL),
  'SimpleCrossingS9N2-v0': crossingWorld(9, 2, WALL),
  'SimpleCrossingS9N3-v0': crossingWorld(9, 3, WALL),
  'SimpleCrossingS11N5-v0': crossingWorld(11, 5, WALL),
  'Dynamic-Obstacles-5x5-v0': dynamicWorld(5, 2),
  'Dynamic-Obstacles-Random-5x5-v0': dynamicWorld(5, 2, true),
  'Dynamic-Obstacles-6x6-v0': dynamicWorld(6, 3),
  'Dynamic-Obstacles-Random-6x6-v0': dynamicWorld(6, 3, true),
  'Dynamic-Obstacles-8x8-v0': dynamicWorld(8, 4),
  'Dynamic-Obstacles-16x16-v0': dynamicWorld(16, 8),
} satisfies Record<string, WorldSpec>

/** Name of a grid world, with or without Python's prefix. */
export type WorldName = keyof typeof worlds | `MiniGrid-${keyof typeof worlds}`

/** All names, as {@link WorldName}s without prefix. */
export const worldNames = Object.keys(worlds) as (keyof typeof worlds)[]

/** The description of a world. */
export function worldSpec(id: string): WorldSpec {
  const found = (worlds as Record<string, WorldSpec>)[id.replace(/^MiniGrid-/, '')]
  if (!found) throw new Error(`gridWorld: \`id\` must be one of ${worldNames.join(', ')}. Received id=${id}.`)
  return found
}
