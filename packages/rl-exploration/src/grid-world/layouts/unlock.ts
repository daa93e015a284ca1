/** Worlds of two or more rooms with a locked door: Unlock, UnlockPickup, BlockedUnlockPickup, and KeyCorridor. */
import type { LayoutBuilder } from '../builder'
import { cell, Kind } from '../cells'
import { RoomGrid } from './room-grid'

const ROOM = 6

/** The mission is to open the door. */
export function unlock(b: LayoutBuilder): void {
  const rooms = new RoomGrid(b, ROOM, 1, 2)
  const door = rooms.addDoor(0, 0, 0, true)
  rooms.addObject(0, 0, Kind.key, door.color)
  rooms.placeAgent(0, 0)
  b.setTarget(b.state.place(door.x, door.y))
}

/** The mission is to pick up the box behind the door, which a ball may block. */
export const unlockPickup = (blocked: boolean) => (b: LayoutBuilder) => {
  const rooms = new RoomGrid(b, ROOM, 1, 2)
  const box = rooms.addObject(1, 0, Kind.box)
  const door = rooms.addDoor(0, 0, 0, true)
  if (blocked) b.set(door.x - 1, door.y, cell(Kind.ball, b.color()))
  rooms.addObject(0, 0, Kind.key, door.color)
  rooms.placeAgent(0, 0)
  b.setTarget(box.place)
  b.setMission(box.color)
}

/** The mission is to pick up the ball behind a locked door; the key lies behind doors on the other side. */
export const keyCorridor = (roomSize: number, rows: number) => (b: LayoutBuilder) => {
  const rooms = new RoomGrid(b, roomSize, rows, 3)
  for (let j = 1; j < rows; j++) rooms.removeWall(1, j, 3)
  const row = b.integer(0, rows)
  const door = rooms.addDoor(2, row, 2, true)
  const ball = rooms.addObject(2, row, Kind.ball)
  rooms.addObject(0, b.integer(0, rows), Kind.key, door.color)
  rooms.placeAgent(1, Math.floor(rows / 2))
  rooms.connectAll()
  b.setTarget(ball.place)
  b.setMission(ball.color)
}
