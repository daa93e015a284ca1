/** LockedRoom: six rooms along a corridor; the key to the locked one, with the goal, lies in another. */
import type { LayoutBuilder } from '../builder'
import { cell, GOAL, Kind, SORTED_COLORS } from '../cells'

export function lockedRoom(b: LayoutBuilder): void {
  const { width, height } = b
  b.outerWalls()
  const left = Math.floor(width / 2) - 2
  const right = Math.floor(width / 2) + 2
  b.verticalWall(left, 0)
  b.verticalWall(right, 0)
  const [roomWidth, roomHeight] = [left + 1, Math.floor(height / 3) + 1]
  const rooms: { x: number; y: number; doorX: number; doorY: number; color: number }[] = []
  for (let n = 0; n < 3; n++) {
    const y = n * Math.floor(height / 3)
    b.horizontalWall(0, y, left)
    b.horizontalWall(right, y)
    rooms.push({ x: 0, y, doorX: left, doorY: y + 3, color: 0 })
    rooms.push({ x: right, y, doorX: right, doorY: y + 3, color: 0 })
  }
  const inside = (room: { x: number; y: number }): [number, number] => [
    b.integer(room.x + 1, room.x + roomWidth - 1),
    b.integer(room.y + 1, room.y + roomHeight - 1),
  ]
  const locked = b.element(rooms)
  b.set(...inside(locked), GOAL)
  const colors: number[] = [...SORTED_COLORS]
  for (const room of rooms) {
    room.color = b.element(colors)
    colors.splice(colors.indexOf(room.color), 1)
    b.door(room.doorX, room.doorY, room.color, room === locked)
  }
  let keyRoom = b.element(rooms)
  while (keyRoom === locked) keyRoom = b.element(rooms)
  b.set(...inside(keyRoom), cell(Kind.key, locked.color))
  b.placeAgent(left, 0, right - left, height)
  b.setMission(locked.color, keyRoom.color, locked.color)
}
