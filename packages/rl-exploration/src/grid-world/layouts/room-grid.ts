/** Rooms of one size in rows and columns, with doors between them: the ground of the Unlock, KeyCorridor and maze worlds. */
import type { LayoutBuilder } from '../builder'
import { cell, colorOf, EMPTY, Kind, SORTED_COLORS } from '../cells'

/** Walls of a room and the neighbour behind each: 0 right, 1 bottom, 2 left, 3 top. */
export const STEPS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const

interface Room {
  left: number
  top: number
  locked: boolean
  /** Per wall: place of its door as `[x, y]`, where a neighbour is. */
  doorPlaces: ([number, number] | undefined)[]
  /** Per wall: whether one can pass, or could with a key. */
  open: boolean[]
}

export class RoomGrid {
  private readonly rooms: Room[] = []

  /** Draws all door places, as Python does, and puts the agent in the middle. */
  constructor(
    readonly b: LayoutBuilder,
    readonly roomSize: number,
    readonly rows: number,
    readonly columns: number,
  ) {
    const pitch = roomSize - 1
    for (let j = 0; j < rows; j++)
      for (let i = 0; i < columns; i++) {
        b.wallRectangle(i * pitch, j * pitch, roomSize, roomSize)
        this.rooms.push({
          left: i * pitch,
          top: j * pitch,
          locked: false,
          doorPlaces: [],
          open: [false, false, false, false],
        })
      }
    for (let j = 0; j < rows; j++)
      for (let i = 0; i < columns; i++) {
        const room = this.room(i, j)
        const [right, bottom] = [room.left + pitch, room.top + pitch]
        if (i < columns - 1) room.doorPlaces[0] = [right, b.integer(room.top + 1, bottom)]
        if (j < rows - 1) room.doorPlaces[1] = [b.integer(room.left + 1, right), bottom]
        if (i > 0) room.doorPlaces[2] = this.room(i - 1, j).doorPlaces[0]
        if (j > 0) room.doorPlaces[3] = this.room(i, j - 1).doorPlaces[1]
      }
    const half = Math.floor(roomSize / 2)
    b.setAgent(Math.floor(columns / 2) * pitch + half, Math.floor(rows / 2) * pitch + half, 0)
  }

  private room(i: number, j: number): Room {
    return this.rooms[j * this.columns + i]!
  }

  private neighbor(i: number, j: number, wall: number): Room {
    const [dx, dy] = STEPS[wall]!
    return this.room(i + dx, j + dy)
  }

  private join(i: number, j: number, wall: number): void {
    this.room(i, j).open[wall] = true
    this.neighbor(i, j, wall).open[(wall + 2) % 4] = true
  }

  /** Puts an object into a room, not next to the agent. Returns its place. */
  placeInRoom(i: number, j: number, code: number, contents = 0): number {
    const { b, roomSize } = this
    const { left, top } = this.room(i, j)
    const [agentX, agentY] = [b.agentX, b.agentY]
    return b.placeObject(code, left, top, roomSize, roomSize, {
      reject: (x, y) => Math.abs(agentX - x) + Math.abs(agentY - y) < 2,
      maxTries: 1000,
      contents,
    })
  }

  /** An object of a kind, in a random colour unless one is given. */
  addObject(i: number, j: number, kind: number, color = this.b.color()): { place: number; color: number } {
    return { place: this.placeInRoom(i, j, cell(kind, color)), color }
  }

  /** A door in a wall, in a random colour unless one is given. Returns where it is and its colour. */
  addDoor(i: number, j: number, wall: number, locked: boolean, color = this.b.color()) {
    const room = this.room(i, j)
    const [x, y] = room.doorPlaces[wall]!
    room.locked = locked
    this.b.door(x, y, color, locked)
    this.join(i, j, wall)
    return { x, y, color }
  }

  removeWall(i: number, j: number, wall: number): void {
    const { b, roomSize } = this
    const { left, top } = this.room(i, j)
    const inner = roomSize - 2
    if (wall === 0) b.verticalWall(left + roomSize - 1, top + 1, inner, EMPTY)
    if (wall === 1) b.horizontalWall(left + 1, top + roomSize - 1, inner, EMPTY)
    if (wall === 2) b.verticalWall(left, top + 1, inner, EMPTY)
    if (wall === 3) b.horizontalWall(left + 1, top, inner, EMPTY)
    this.join(i, j, wall)
  }

  /** Puts the agent into a room, facing nothing or a wall. */
  placeAgent(i: number, j: number): void {
    const { b, roomSize } = this
    const { left, top } = this.room(i, j)
    for (;;) {
      b.placeAgent(left, top, roomSize, roomSize, 1000)
      const [dx, dy] = STEPS[b.direction]!
      const code = b.get(b.agentX + dx, b.agentY + dy)
      if (code === EMPTY || code === cell(Kind.wall, colorOf(code))) return
    }
  }

  /** Adds unlocked doors at random until every room can be reached from the agent's. */
  connectAll(): void {
    const { b, rows, columns } = this
    const pitch = this.roomSize - 1
    const startI = Math.floor(b.agentX / pitch)
    const startJ = Math.floor(b.agentY / pitch)
    for (let iterations = 0; iterations <= 5000; iterations++) {
      if (this.reachable(startI, startJ) === rows * columns) return
      const i = b.integer(0, columns)
      const j = b.integer(0, rows)
      const wall = b.integer(0, 4)
      const room = this.room(i, j)
      if (!room.doorPlaces[wall] || room.open[wall]) continue
      if (room.locked || this.neighbor(i, j, wall).locked) continue
      this.addDoor(i, j, wall, false, b.element(SORTED_COLORS))
    }
    throw new Error('gridWorld: the rooms could not be connected in 5000 tries.')
  }

  private reachable(startI: number, startJ: number): number {
    const reached = new Set<number>()
    const stack = [[startI, startJ]]
    while (stack.length > 0) {
      const [i, j] = stack.pop()! as [number, number]
      const id = j * this.columns + i
      if (reached.has(id)) continue
      reached.add(id)
      STEPS.forEach(([dx, dy], wall) => {
        if (this.rooms[id]!.open[wall]) stack.push([i + dx, j + dy])
      })
    }
    return reached.size
  }
}
