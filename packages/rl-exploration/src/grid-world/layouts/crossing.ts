/** LavaCrossing and SimpleCrossing: rivers across the grid, with one ford each so that the goal can be reached. */
import type { LayoutBuilder } from '../builder'
import { EMPTY, GOAL } from '../cells'

export const crossing = (crossings: number, obstacle: number) => (b: LayoutBuilder) => {
  b.outerWalls()
  b.setAgent(1, 1, 0)
  b.set(b.width - 2, b.height - 2, GOAL)

  const rivers: { vertical: boolean; at: number }[] = []
  for (let at = 2; at < b.height - 2; at += 2) rivers.push({ vertical: true, at })
  for (let at = 2; at < b.width - 2; at += 2) rivers.push({ vertical: false, at })
  b.shuffle(rivers)
  const chosen = rivers.slice(0, crossings)
  const places = (vertical: boolean) =>
    chosen
      .filter((river) => river.vertical === vertical)
      .map((river) => river.at)
      .sort((x, y) => x - y)
  const [columns, rows] = [places(true), places(false)]
  for (const y of rows) b.horizontalWall(1, y, b.width - 2, obstacle)
  for (const x of columns) b.verticalWall(x, 1, b.height - 2, obstacle)

  // A path from corner to corner crosses each river once, in random order.
  const crossesColumn = [...columns.map(() => true), ...rows.map(() => false)]
  b.shuffle(crossesColumn)
  const [limitsX, limitsY] = [
    [0, ...columns, b.height - 1],
    [0, ...rows, b.width - 1],
  ]
  let [roomX, roomY] = [0, 0]
  for (const column of crossesColumn) {
    if (column) {
      b.set(limitsX[roomX + 1]!, b.integer(limitsY[roomY]! + 1, limitsY[roomY + 1]!), EMPTY)
      roomX++
    } else {
      b.set(b.integer(limitsX[roomX]! + 1, limitsX[roomX + 1]!), limitsY[roomY + 1]!, EMPTY)
      roomY++
    }
  }
}
