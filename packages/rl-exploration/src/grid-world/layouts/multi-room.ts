/**
 * MultiRoom: a chain of rooms of random sizes, joined by doors, grown by trial. Room k + 1 starts at a random place
 * of a wall of room k; where it does not fit, other walls are tried, and in the end the longest chain so far counts.
 */
import type { LayoutBuilder } from '../builder'
import { GOAL, SORTED_COLORS } from '../cells'

interface Room {
  left: number
  top: number
  width: number
  height: number
  /** Where its entry door is. */
  doorX: number
  doorY: number
}

/** Walls: 0 right, 1 bottom, 2 left, 3 top. */
const OTHER_WALLS = [0, 1, 2, 3].map((wall) => [0, 1, 2, 3].filter((w) => w !== wall))
const OTHER_COLORS = [0, 1, 2, 3, 4, 5].map((color) => SORTED_COLORS.filter((c) => c !== color))
const SMALLEST = 4

/** Grows a chain of up to `left` rooms, the first with its entry door at `doorX, doorY` in wall `wall`. */
function grow(
  b: LayoutBuilder,
  left: number,
  rooms: Room[],
  largest: number,
  wall: number,
  doorX: number,
  doorY: number,
): boolean {
  const width = b.integer(SMALLEST, largest + 1)
  const height = b.integer(SMALLEST, largest + 1)
  let [x, y] = [doorX, doorY]
  if (rooms.length > 0) {
    if (wall === 0) x = doorX - width + 1
    if (wall === 1) y = doorY - height + 1
    if (wall === 0 || wall === 2) y = b.integer(doorY - height + 2, doorY)
    else x = b.integer(doorX - width + 2, doorX)
  }
  if (x < 0 || y < 0) return false
  // Python compares the bottom with >= and the right with >; so do we.
  if (x + width > b.width || y + height >= b.height) return false
  // The room before this one is left out: they share a wall.
  for (let k = 0; k < rooms.length - 1; k++) {
    const room = rooms[k]!
    const apart =
      x + width < room.left ||
      room.left + room.width <= x ||
      y + height < room.top ||
      room.top + room.height <= y
    if (!apart) return false
  }
  rooms.push({ left: x, top: y, width, height, doorX, doorY })
  if (left === 1) return true
  for (let tries = 0; tries < 8; tries++) {
    const exit = b.element(OTHER_WALLS[wall]!)
    let [exitX, exitY] = [x, y]
    if (exit === 0 || exit === 2) {
      exitX = exit === 0 ? x + width - 1 : x
      exitY = y + b.integer(1, height - 1)
    } else {
      exitX = x + b.integer(1, width - 1)
      exitY = exit === 1 ? y + height - 1 : y
    }
    if (grow(b, left - 1, rooms, largest, (exit + 2) % 4, exitX, exitY)) break
  }
  return true
}

export const multiRoom = (numRooms: number, largest: number) => (b: LayoutBuilder) => {
  let rooms: Room[] = []
  while (rooms.length < numRooms) {
    const chain: Room[] = []
    // Both coordinates are drawn from the width, as in Python.
    const doorX = b.integer(0, b.width - 2)
    const doorY = b.integer(0, b.width - 2)
    grow(b, numRooms, chain, largest, 2, doorX, doorY)
    if (chain.length > rooms.length) rooms = chain
  }
  let previous = -1
  rooms.forEach((room, k) => {
    b.wallRectangle(room.left, room.top, room.width, room.height)
    if (k === 0) return
    previous = b.element(previous < 0 ? SORTED_COLORS : OTHER_COLORS[previous]!)
    b.door(room.doorX, room.doorY, previous)
  })
  const [first, last] = [rooms[0]!, rooms.at(-1)!]
  b.placeAgent(first.left, first.top, first.width, first.height)
  b.placeObject(GOAL, last.left, last.top, last.width, last.height)
}
