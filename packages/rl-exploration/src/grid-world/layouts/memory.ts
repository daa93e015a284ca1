/** Memory: remember the object in the first room, turn towards its like at the end of a hallway. */
import type { LayoutBuilder } from '../builder'
import { cell, GREEN, Kind, WALL } from '../cells'

const [KEY, BALL] = [cell(Kind.key, GREEN), cell(Kind.ball, GREEN)]

export const memory = (randomLength: boolean) => (b: LayoutBuilder) => {
  b.outerWalls()
  const middle = Math.floor(b.height / 2)
  const end = randomLength ? b.integer(4, b.width - 2) : b.width - 3
  for (let x = 1; x < 5; x++) {
    b.set(x, middle - 2, WALL)
    b.set(x, middle + 2, WALL)
  }
  b.set(4, middle - 1, WALL)
  b.set(4, middle + 1, WALL)
  for (let x = 5; x < end; x++) {
    b.set(x, middle - 1, WALL)
    b.set(x, middle + 1, WALL)
  }
  for (let y = 0; y < b.height; y++) {
    if (y !== middle) b.set(end, y, WALL)
    b.set(end + 2, y, WALL)
  }
  b.setAgent(b.integer(1, end + 1), middle, 0)
  const shown = b.element([KEY, BALL])
  b.set(1, middle - 1, shown)
  const [upper, lower] = b.element([
    [BALL, KEY],
    [KEY, BALL],
  ]) as [number, number]
  b.set(end + 1, middle - 2, upper)
  b.set(end + 1, middle + 2, lower)
  const [above, below] = [b.state.place(end + 1, middle - 1), b.state.place(end + 1, middle + 1)]
  b.setTarget(shown === upper ? above : below)
  b.setFailure(shown === upper ? below : above)
}
