/**
 * MiniGrid (Chevalier-Boisvert et al. 2023, arXiv 2306.13831), batched over typed arrays: layouts, observations,
 * rewards and ends are those of Python's `minigrid` 3, from the seed alone.
 */
import type { Autoreset, EnvStep, Space, VectorEnv } from '../vector-env'
import { LayoutBuilder } from './builder'
import { type Encoding, encoder } from './encodings'
import { type WorldName, worldSpec } from './registry'
import { type RgbImage, renderAscii, renderRgb, renderSvg } from './render'
import { stepRule } from './rules'
import { IMAGE_BYTES, PADDING, WorldState } from './state'

/** Options of {@link gridWorld}. */
export interface GridWorldOptions {
  /** Number of environments that are stepped together. @default 1 */
  numEnvs?: number
  /** Environment i starts from `seed + i`, as in Gymnasium. @default a random seed */
  seed?: number
  /** When a finished environment starts its next episode. @default 'same-step' */
  autoreset?: Autoreset
  /**
   * `'image'`: `[7, 7, 3]` bytes (column, row; object, colour, state). `'flat'`: the same as `[147]`.
   * `'one-hot'`: `[7, 7, 20]` bytes: 11 objects, 6 colours, 3 states. @default 'image'
   */
  encoding?: Encoding
}

/** What `step` of a grid world returns: observations are bytes. */
export interface GridWorldStep extends EnvStep {
  observations: Uint8Array
  finalObservations?: Uint8Array
}

/** A batch of grid worlds. */
export interface GridWorld extends VectorEnv {
  readonly id: string
  readonly observationSpace: Extract<Space, { type: 'box' }>
  readonly actionSpace: Extract<Space, { type: 'discrete' }>
  readonly autoreset: Autoreset
  /** Width and height of the grid, and the step at which an episode is cut. */
  readonly width: number
  readonly height: number
  readonly maxSteps: number
  /** Starts an episode everywhere; with a seed, from `seed + i`. */
  reset(seed?: number): Uint8Array
  /**
   * One step everywhere. Observations stay valid until the call after the next; the other arrays until the next.
   */
  step(actions: Int32Array | Float32Array): GridWorldStep
  /** Where an agent is and looks (0 right, 1 down, 2 left, 3 up). */
  agent(env?: number): { x: number; y: number; direction: number }
  /** The directions of all agents: a live view. */
  readonly directions: Uint8Array
  /** The whole grid as MiniGrid encodes it: object, colour and state of `width * height` cells, row by row. */
  layout(env?: number): Uint8Array
  /** The mission in words. */
  mission(env?: number): string
  /** A picture as text, as RGB pixels, or as SVG. */
  render(mode: 'ascii', env?: number): string
  render(mode: 'svg', env?: number): string
  render(mode: 'rgb', env?: number, tileSize?: number): RgbImage
  close(): void
  save(): Uint8Array
  load(state: Uint8Array): void
}

/** A saved state begins with the name of its world. */
const LABEL_BYTES = 48

/**
 * A batch of MiniGrid worlds.
 *
 * @param id A name such as `MultiRoom-N4-S5-v1`, with or without the prefix `MiniGrid-`. See `worldNames`.
 * @throws When the name is unknown or an option makes no sense.
 * @example
 * ```ts
 * import { gridWorld } from '@tfgraft/rl-exploration'
 *
 * const env = gridWorld('DoorKey-8x8-v0', { numEnvs: 16, seed: 0 })
 * const observations = env.reset() // Uint8Array of 16 * 7 * 7 * 3
 * const { rewards, terminated } = env.step(new Int32Array(16).fill(2)) // everyone goes forward
 * console.log(env.render('ascii', 0), observations.length, rewards[0], terminated[0])
 * ```
 */
export function gridWorld(id: WorldName, options: GridWorldOptions = {}): GridWorld {
  const { numEnvs = 1, autoreset = 'same-step', encoding = 'image' } = options
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32)
  const spec = worldSpec(id)
  if (!Number.isInteger(numEnvs) || numEnvs < 1)
    throw new Error(`gridWorld: \`numEnvs\` must be a positive integer. Received numEnvs=${numEnvs}.`)
  if (!['same-step', 'next-step', 'off'].includes(autoreset))
    throw new Error(
      `gridWorld: \`autoreset\` must be 'same-step', 'next-step' or 'off'. Received autoreset=${autoreset}.`,
    )
  const name = id.replace(/^MiniGrid-/, '')
  const label = new TextEncoder().encode(name.padEnd(LABEL_BYTES))
  const state = new WorldState(numEnvs, spec.width, spec.height)
  const builder = new LayoutBuilder(state)
  const apply = stepRule(state, spec)
  const encode = encoder(encoding, numEnvs)
  const rewards = new Float32Array(numEnvs)
  const terminated = new Uint8Array(numEnvs)
  const truncated = new Uint8Array(numEnvs)
  const { finished, selected } = state
  let turn = 0

  const begin = (env: number) => {
    builder.begin(env)
    spec.build(builder)
    finished[env] = 0
  }
  const seedAll = (first: number) => {
    for (let env = 0; env < numEnvs; env++) state.seed(env, first + env)
  }
  seedAll(seed)

  function reset(newSeed?: number): Uint8Array {
    if (newSeed !== undefined) seedAll(newSeed)
    for (let env = 0; env < numEnvs; env++) begin(env)
    turn = 1 - turn
    state.observe(state.everyone, numEnvs, state.images[turn as 0 | 1], spec.seeThrough)
    return encode(state.images[turn as 0 | 1], turn)
  }

  function step(actions: Int32Array | Float32Array): GridWorldStep {
    if (actions.length !== numEnvs)
      throw new Error(
        `gridWorld: needs one action per environment. Received ${actions.length} for ${numEnvs}.`,
      )
    let ended = 0
    for (let env = 0; env < numEnvs; env++) {
      if (finished[env] !== 0 && autoreset === 'next-step') {
        begin(env)
        rewards[env] = 0
        terminated[env] = 0
        truncated[env] = 0
        continue
      }
      apply(env, actions[env]!, rewards, terminated, truncated)
      if ((terminated[env]! | truncated[env]!) !== 0) {
        finished[env] = 1
        selected[ended++] = env
      }
    }
    turn = 1 - turn
    const images = state.images[turn as 0 | 1]
    if (ended === 0 || autoreset !== 'same-step') {
      state.observe(state.everyone, numEnvs, images, spec.seeThrough)
      return { observations: encode(images, turn), rewards, terminated, truncated }
    }
    state.observe(selected, ended, state.finalImages, spec.seeThrough)
    for (let k = 0; k < ended; k++) begin(selected[k]!)
    state.observe(state.everyone, numEnvs, images, spec.seeThrough)
    return {
      observations: encode(images, turn),
      rewards,
      terminated,
      truncated,
      finalObservations: encode(state.finalImages, 2),
    }
  }

  const checked = (env: number) => {
    if (!(Number.isInteger(env) && env >= 0 && env < numEnvs))
      throw new Error(`gridWorld: \`env\` must be within 0 and ${numEnvs - 1}. Received env=${env}.`)
    return env
  }
  const agent = (env = 0) => {
    const place = state.position[checked(env)]!
    const { rowStride } = state
    return {
      x: (place % rowStride) - PADDING,
      y: Math.floor(place / rowStride) - PADDING,
      direction: state.direction[env]!,
    }
  }
  function cells(env: number): Uint8Array {
    const out = new Uint8Array(spec.width * spec.height)
    for (let y = 0; y < spec.height; y++) {
      const row = env * state.gridStride + state.place(0, y)
      out.set(state.grids.subarray(row, row + spec.width), y * spec.width)
    }
    return out
  }
  function render(mode: 'rgb', env?: number, tileSize?: number): RgbImage
  function render(mode: 'ascii' | 'svg', env?: number): string
  function render(mode: 'rgb' | 'ascii' | 'svg', env = 0, tileSize = 32): RgbImage | string {
    const scene = { width: spec.width, height: spec.height, cells: cells(checked(env)), agent: agent(env) }
    if (mode === 'rgb') return renderRgb(scene, tileSize)
    return mode === 'svg' ? renderSvg(scene) : renderAscii(scene)
  }

  return {
    id,
    numEnvs,
    autoreset,
    observationSpace: {
      type: 'box',
      shape: { image: [7, 7, 3], flat: [IMAGE_BYTES], 'one-hot': [7, 7, 20] }[encoding],
      dtype: 'uint8',
      low: 0,
      high: encoding === 'one-hot' ? 1 : 255,
    },
    actionSpace: { type: 'discrete', n: spec.numActions },
    width: spec.width,
    height: spec.height,
    maxSteps: spec.maxSteps,
    directions: state.direction,
    reset,
    step,
    agent,
    layout: (env = 0) => state.encode(cells(checked(env))),
    mission: (env = 0) => spec.mission(state.mission.subarray(3 * checked(env), 3 * env + 3)),
    render,
    close() {},
    save: () => labelled(label, state.save()),
    load(saved) {
      // Worlds of one size have states of one size.
      if (label.some((byte, k) => saved[k] !== byte))
        throw new Error(
          `gridWorld: the state must come from ${name}. Received that of ${new TextDecoder().decode(saved.subarray(0, LABEL_BYTES)).trim()}.`,
        )
      state.load(saved.subarray(LABEL_BYTES))
    },
  }
}

function labelled(label: Uint8Array, state: Uint8Array): Uint8Array {
  const out = new Uint8Array(label.length + state.length)
  out.set(label)
  out.set(state, label.length)
  return out
}
