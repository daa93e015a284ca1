/**
 * ObstructedMaze: locked doors blocked by balls, with their keys hidden in boxes; find the blue ball.
 * Version 1 hides the keys after all blocking balls are placed, so that no ball lands on a key.
 */
import type { LayoutBuilder } from '../builder'
import { BLUE, cell, GREEN, GREY, Kind, SORTED_COLORS } from '../cells'
import { RoomGrid, STEPS } from './room-grid'

export interface MazeOptions {
  keyInBox: boolean
  blocked: boolean
}

/** All colours in random order. */
function doorColors(b: LayoutBuilder): number[] {
  const left: number[] = [...SORTED_COLORS]
  return SORTED_COLORS.map(() => left.splice(b.integer(0, left.length), 1)[0]!)
}

function lockedDoor(rooms: RoomGrid, i: number, j: number, wall: number, color: number, blocked: boolean) {
  const door = rooms.addDoor(i, j, wall, true, color)
  const [dx, dy] = STEPS[wall]!
  if (blocked) rooms.b.set(door.x - dx, door.y - dy, cell(Kind.ball, GREEN))
}

function hideKey(rooms: RoomGrid, i: number, j: number, color: number, keyInBox: boolean): void {
  const key = cell(Kind.key, color)
  if (keyInBox) rooms.placeInRoom(i, j, cell(Kind.box, GREY), key)
  else rooms.placeInRoom(i, j, key)
}

function finish(rooms: RoomGrid, ballRoom: readonly [number, number], agentRoom: readonly [number, number]) {
  const ball = rooms.addObject(...ballRoom, Kind.ball, BLUE)
  rooms.placeAgent(...agentRoom)
  rooms.b.setTarget(ball.place)
  rooms.b.setMission(BLUE)
}

/** Two rooms, one door. */
export const smallMaze =
  ({ keyInBox, blocked }: MazeOptions) =>
  (b: LayoutBuilder) => {
    const rooms = new RoomGrid(b, 6, 1, 2)
    const [color] = doorColors(b) as [number]
    lockedDoor(rooms, 0, 0, 0, color, blocked)
    hideKey(rooms, 0, 0, color, keyInBox)
    finish(rooms, [1, 0], [0, 0])
  }

/** Nine rooms, of which `quarters` of four corners are in play. */
export const fullMaze =
  ({
    keyInBox,
    blocked,
    agentRoom,
    quarters,
    version,
  }: MazeOptions & { agentRoom: readonly [number, number]; quarters: number; version: 0 | 1 }) =>
  (b: LayoutBuilder) => {
    const rooms = new RoomGrid(b, 6, 3, 3)
    const colors = doorColors(b)
    const sides = [
      [2, 1],
      [1, 2],
      [0, 1],
      [1, 0],
    ] as const
    for (let side = 0; side < quarters; side++) {
      const [i, j] = sides[side]!
      rooms.addDoor(1, 1, side, false, colors[side]!)
      const turns = [-1, 1].map((k) => ({ wall: (side + k + 4) % 4, color: colors[(side + k + 6) % 6]! }))
      for (const { wall, color } of turns) {
        lockedDoor(rooms, i, j, wall, color, blocked)
        if (version === 0) hideKey(rooms, i, j, color, keyInBox)
      }
      if (version === 1) for (const { color } of turns) hideKey(rooms, i, j, color, keyInBox)
    }
    const corners = [
      [2, 0],
      [2, 2],
      [0, 2],
      [0, 0],
    ] as const
    finish(rooms, b.element(corners.slice(0, quarters)), agentRoom)
  }
