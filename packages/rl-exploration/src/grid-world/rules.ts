/** One step of every world: MiniGrid's seven actions and the ends of episodes, without allocation. */
import { EMPTY, Kind, kindOf } from './cells'
import type { WorldSpec } from './registry'
import type { WorldState } from './state'

/** 0 left, 1 right, 2 forward, 3 pick up, 4 drop, 5 toggle, 6 done. */
export const Action = { left: 0, right: 1, forward: 2, pickup: 3, drop: 4, toggle: 5, done: 6 } as const

/** Applies an action to environment i and writes what came of it to place i of the arrays. */
export type StepRule = (
  env: number,
  action: number,
  rewards: Float32Array,
  terminated: Uint8Array,
  truncated: Uint8Array,
) => void

const COLOR_BITS = 7
/** Kind and sight bits of an unlocked open door, the colour left out. */
const OPEN_DOOR = Kind.openDoor << 3
const CLOSED_DOOR = (Kind.closedDoor << 3) | 128

export function stepRule(state: WorldState, spec: WorldSpec): StepRule {
  const { grids, contents, position, direction, carrying, carryingContents, steps, target, failure } = state
  const { gridStride, rowStride } = state
  const { maxSteps, rule } = spec
  const ahead = Int32Array.of(1, rowStride, -1, -rowStride)

  function pickUp(env: number, base: number, place: number, kind: number): void {
    if (kind < Kind.key || kind > Kind.box || carrying[env] !== EMPTY) return
    carrying[env] = grids[base + place]!
    carryingContents[env] = contents[base + place]!
    grids[base + place] = EMPTY
    contents[base + place] = 0
    if (target[env] === place) target[env] = -1
  }

  function drop(env: number, base: number, place: number): void {
    if (grids[base + place] !== EMPTY || carrying[env] === EMPTY) return
    grids[base + place] = carrying[env]!
    contents[base + place] = carryingContents[env]!
    carrying[env] = EMPTY
    carryingContents[env] = 0
    if (target[env] === -1) target[env] = place
  }

  function toggle(env: number, base: number, place: number, kind: number): void {
    const at = base + place
    const color = grids[at]! & COLOR_BITS
    if (kind === Kind.closedDoor) grids[at] = OPEN_DOOR | color
    else if (kind === Kind.openDoor) grids[at] = CLOSED_DOOR | color
    else if (kind === Kind.lockedDoor) {
      if (carrying[env] === ((Kind.key << 3) | color)) grids[at] = OPEN_DOOR | color
    } else if (kind === Kind.box) {
      grids[at] = contents[at]!
      contents[at] = 0
      if (target[env] === place) target[env] = -2
    }
  }

  /** The actions and ends that all worlds share. */
  const base: StepRule = (env, action, rewards, terminated, truncated) => {
    const step = steps[env]! + 1
    steps[env] = step
    truncated[env] = step >= maxSteps ? 1 : 0
    terminated[env] = 0
    rewards[env] = 0
    if (action === Action.left) direction[env] = (direction[env]! + 3) & 3
    else if (action === Action.right) direction[env] = (direction[env]! + 1) & 3
    else if (action !== Action.done) {
      const origin = env * gridStride
      const place = position[env]! + ahead[direction[env]!]!
      const code = grids[origin + place]!
      const kind = (code >> 3) & 15
      if (action === Action.forward) {
        if (
          code === EMPTY ||
          kind === Kind.goal ||
          kind === Kind.openDoor ||
          kind === Kind.lava ||
          kind === Kind.floor
        )
          position[env] = place
        if (kind === Kind.goal) {
          terminated[env] = 1
          rewards[env] = 1 - 0.9 * (step / maxSteps)
        } else if (kind === Kind.lava) terminated[env] = 1
      } else if (action === Action.pickup) pickUp(env, origin, place, kind)
      else if (action === Action.drop) drop(env, origin, place)
      else toggle(env, origin, place, kind)
    }
  }
  const succeed = (env: number, rewards: Float32Array, terminated: Uint8Array) => {
    rewards[env] = 1 - 0.9 * (steps[env]! / maxSteps)
    terminated[env] = 1
  }

  switch (rule) {
    case 'goal':
      return base
    case 'pickup':
      return (env, action, rewards, terminated, truncated) => {
        base(env, action, rewards, terminated, truncated)
        if (action === Action.pickup && target[env] === -1) succeed(env, rewards, terminated)
      }
    case 'open':
      return (env, action, rewards, terminated, truncated) => {
        base(env, action, rewards, terminated, truncated)
        if (action === Action.toggle && kindOf(grids[env * gridStride + target[env]!]!) === Kind.openDoor)
          succeed(env, rewards, terminated)
      }
    case 'memory':
      return (env, action, rewards, terminated, truncated) => {
        base(env, action === Action.pickup ? Action.toggle : action, rewards, terminated, truncated)
        if (position[env] === target[env]) succeed(env, rewards, terminated)
        if (position[env] === failure[env]) [rewards[env], terminated[env]] = [0, 1]
      }
    case 'dynamic': {
      return (env, given, rewards, terminated, truncated) => {
        const action = given >= 3 ? Action.left : given
        const kind = kindOf(grids[env * gridStride + position[env]! + ahead[direction[env]!]!]!)
        const blocked = kind !== Kind.empty && kind !== Kind.goal
        state.moveObstacles(env, spec.numObstacles)
        base(env, action, rewards, terminated, truncated)
        if (action === Action.forward && blocked) [rewards[env], terminated[env]] = [-1, 1]
      }
    }
  }
}
