/** Worlds of one piece: Empty, DoorKey, FourRooms, LavaGap, and Dynamic-Obstacles. */
import type { LayoutBuilder } from '../builder'
import { BLUE, cell, EMPTY, GOAL, Kind, LAVA, YELLOW } from '../cells'

function start(b: LayoutBuilder, randomStart: boolean): void {
  if (randomStart) b.placeAgent()
  else b.setAgent(1, 1, 0)
}

export const empty = (randomStart: boolean) => (b: LayoutBuilder) => {
  b.outerWalls()
  b.set(b.width - 2, b.height - 2, GOAL)
  start(b, randomStart)
}

export function doorKey(b: LayoutBuilder): void {
  b.outerWalls()
  b.set(b.width - 2, b.height - 2, GOAL)
  const split = b.integer(2, b.width - 2)
  b.verticalWall(split, 0)
  b.placeAgent(0, 0, split, b.height)
  b.door(split, b.integer(1, b.height - 2), YELLOW, true)
  b.placeObject(cell(Kind.key, YELLOW), 0, 0, split, b.height)
}

export function fourRooms(b: LayoutBuilder): void {
  b.outerWalls()
  const roomWidth = Math.floor(b.width / 2)
  const roomHeight = Math.floor(b.height / 2)
  for (let j = 0; j < 2; j++)
    for (let i = 0; i < 2; i++) {
      const [left, top] = [i * roomWidth, j * roomHeight]
      const [right, bottom] = [left + roomWidth, top + roomHeight]
      if (i === 0) {
        b.verticalWall(right, top, roomHeight)
        b.set(right, b.integer(top + 1, bottom), EMPTY)
      }
      if (j === 0) {
        b.horizontalWall(left, bottom, roomWidth)
        b.set(b.integer(left + 1, right), bottom, EMPTY)
      }
    }
  b.placeAgent()
  b.placeObject(GOAL)
}

export function lavaGap(b: LayoutBuilder): void {
  b.outerWalls()
  b.setAgent(1, 1, 0)
  b.set(b.width - 2, b.height - 2, GOAL)
  const x = b.integer(2, b.width - 2)
  const y = b.integer(1, b.height - 1)
  b.verticalWall(x, 1, b.height - 2, LAVA)
  b.set(x, y, EMPTY)
}

export const dynamicObstacles = (obstacles: number, randomStart: boolean) => (b: LayoutBuilder) => {
  b.outerWalls()
  b.set(b.width - 2, b.height - 2, GOAL)
  start(b, randomStart)
  for (let k = 0; k < obstacles; k++)
    b.setObstacle(k, b.placeObject(cell(Kind.ball, BLUE), 0, 0, b.width, b.height, { maxTries: 100 }))
}
