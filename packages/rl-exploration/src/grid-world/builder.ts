/**
 * Builds the layout of one environment: MiniGrid's vocabulary (walls, objects at random places, the agent) over the
 * arrays of a {@link WorldState}, drawing random numbers in the order in which Python MiniGrid draws them.
 */
import { cell, EMPTY, Kind, SORTED_COLORS, WALL } from './cells'
import { MAX_OBSTACLES, PADDING, type WorldState } from './state'

/** Says whether an object may not lie at x, y. */
export type Reject = (x: number, y: number) => boolean

export class LayoutBuilder {
  readonly width: number
  readonly height: number
  agentX = -1
  agentY = -1
  private env = 0
  private base = 0
  private readonly stride: number
  /** Grid of an environment before anything is placed: empty inside, wall around. */
  private readonly blank: Uint8Array

  constructor(readonly state: WorldState) {
    this.width = state.width
    this.height = state.height
    this.stride = state.rowStride
    this.blank = new Uint8Array(state.gridStride).fill(WALL)
    for (let y = 0; y < this.height; y++) {
      const row = state.place(0, y)
      this.blank.fill(EMPTY, row, row + this.width)
    }
  }

  /** Clears environment `env` and makes it the one that is built. */
  begin(env: number): void {
    const { state } = this
    this.env = env
    this.base = env * state.gridStride
    state.grids.set(this.blank, this.base)
    state.contents.fill(0, this.base, this.base + state.gridStride)
    state.carrying[env] = EMPTY
    state.carryingContents[env] = 0
    state.steps[env] = 0
    state.target[env] = -2
    state.failure[env] = -2
    state.mission.fill(0, 3 * env, 3 * env + 3)
    state.obstacles.fill(-1, MAX_OBSTACLES * env, MAX_OBSTACLES * (env + 1))
    this.agentX = -1
    this.agentY = -1
  }

  // Random numbers

  /** An integer in `[low, high)`. */
  integer(low: number, high: number): number {
    return low + this.state.integer(this.env, high - low)
  }

  element<T>(elements: readonly T[]): T {
    return elements[this.integer(0, elements.length)]!
  }

  color(): number {
    return this.element(SORTED_COLORS)
  }

  shuffle<T>(elements: T[]): void {
    this.state.shuffle(this.env, elements)
  }

  // Cells

  get(x: number, y: number): number {
    return this.state.grids[this.base + this.state.place(x, y)]!
  }

  get direction(): number {
    return this.state.direction[this.env]!
  }

  /** Overwrites a cell. A box that lay there is gone with what it held. */
  set(x: number, y: number, code: number, contents = 0): void {
    const at = this.base + this.state.place(x, y)
    this.state.grids[at] = code
    this.state.contents[at] = contents
  }

  horizontalWall(x: number, y: number, length = this.width - x, code = WALL): void {
    const at = this.base + this.state.place(x, y)
    this.state.grids.fill(code, at, at + length)
  }

  verticalWall(x: number, y: number, length = this.height - y, code = WALL): void {
    let at = this.base + this.state.place(x, y)
    for (let i = 0; i < length; i++, at += this.stride) this.state.grids[at] = code
  }

  /** Walls along the edges of a rectangle. */
  wallRectangle(x: number, y: number, width: number, height: number): void {
    this.horizontalWall(x, y, width)
    this.horizontalWall(x, y + height - 1, width)
    this.verticalWall(x, y, height)
    this.verticalWall(x + width - 1, y, height)
  }

  outerWalls(): void {
    this.wallRectangle(0, 0, this.width, this.height)
  }

  door(x: number, y: number, color: number, locked = false): void {
    this.set(x, y, cell(locked ? Kind.lockedDoor : Kind.closedDoor, color))
  }

  // Objects and agent at random places

  /**
   * Puts an object at a random empty place of a rectangle, off the agent, and returns the place. Throws after
   * `maxTries` rejections, where Python raises a RecursionError.
   */
  placeObject(
    code: number,
    left = 0,
    top = 0,
    width = this.width,
    height = this.height,
    options: { reject?: Reject; maxTries?: number; contents?: number } = {},
  ): number {
    const { reject, maxTries = Number.POSITIVE_INFINITY, contents = 0 } = options
    const right = Math.min(Math.max(left, 0) + width, this.width)
    const bottom = Math.min(Math.max(top, 0) + height, this.height)
    for (let tries = 0; tries <= maxTries; tries++) {
      const x = this.integer(Math.max(left, 0), right)
      const y = this.integer(Math.max(top, 0), bottom)
      if (this.get(x, y) !== EMPTY) continue
      if (x === this.agentX && y === this.agentY) continue
      if (reject?.(x, y)) continue
      this.set(x, y, code, contents)
      return this.state.place(x, y)
    }
    throw new Error(`gridWorld: no place found for an object in ${maxTries} tries.`)
  }

  /** Puts the agent at a random empty place of a rectangle, looking in a random direction. */
  placeAgent(left?: number, top?: number, width?: number, height?: number, maxTries?: number): void {
    this.agentX = -1
    this.agentY = -1
    const place = this.placeObject(EMPTY, left, top, width, height, { maxTries })
    this.setAgent(
      (place % this.stride) - PADDING,
      Math.floor(place / this.stride) - PADDING,
      this.integer(0, 4),
    )
  }

  setAgent(x: number, y: number, direction: number): void {
    this.agentX = x
    this.agentY = y
    this.state.position[this.env] = this.state.place(x, y)
    this.state.direction[this.env] = direction
  }

  // What the rules look at

  /** The object or door that the mission is about. */
  setTarget(place: number): void {
    this.state.target[this.env] = place
  }

  setFailure(place: number): void {
    this.state.failure[this.env] = place
  }

  setObstacle(k: number, place: number): void {
    this.state.obstacles[MAX_OBSTACLES * this.env + k] = place
  }

  /** Colours that the mission names. */
  setMission(...colors: number[]): void {
    this.state.mission.set(colors, 3 * this.env)
  }
}
