/**
 * Everything a batch of grid worlds consists of, as typed arrays over one WebAssembly memory: the kernels that make
 * observations and random numbers work on the same bytes as the rules, and saving is one copy.
 */
import { type KernelExports, kernels } from '../generated/kernels'
import { cellPalette, WALL } from './cells'
import { seedSequence } from './seed-sequence'
import { visibilityTable } from './visibility'

/** Cells of wall around every grid, so that a view from inside never leaves its array: 6 ahead of cell 1. */
export const PADDING = 5
/** 32-bit random numbers made at a time, per environment. */
const DRAWS = 32
const STREAM_BYTES = 32 + 4 * DRAWS
export const IMAGE_BYTES = 147
/** Most obstacles that any world moves. */
export const MAX_OBSTACLES = 8
const PAGE = 65536

let compiled: WebAssembly.Module | undefined
const compile = (): WebAssembly.Module => {
  compiled ??= new WebAssembly.Module(Uint8Array.from(atob(kernels.simd.base64), (c) => c.charCodeAt(0)))
  return compiled
}

/** Typed arrays of `numEnvs` worlds of `width` x `height` cells. Places are indices into a padded grid. */
export class WorldState {
  readonly rowStride: number
  readonly gridStride: number
  /** Cell codes, `gridStride` per environment. */
  readonly grids: Uint8Array
  /** What the box at a place holds: a cell code, 0 for nothing. Same layout as `grids`. */
  readonly contents: Uint8Array
  readonly position: Int32Array
  /** 0 right, 1 down, 2 left, 3 up. */
  readonly direction: Uint8Array
  /** Cell code of the carried object, 0 for none, and what it holds if it is a box. */
  readonly carrying: Uint8Array
  readonly carryingContents: Uint8Array
  readonly steps: Int32Array
  /** Place of the object or door that the mission is about; -1 while carried, -2 when it is gone. */
  readonly target: Int32Array
  /** Place that ends an episode without success. */
  readonly failure: Int32Array
  /** `MAX_OBSTACLES` places per environment. */
  readonly obstacles: Int32Array
  /** Up to three colours that the mission names, per environment. */
  readonly mission: Uint8Array
  /** 1 when the episode has ended and the next step is to start another. */
  readonly finished: Uint8Array
  /** Two buffers of images that take turns. */
  readonly images: readonly [Uint8Array, Uint8Array]
  readonly finalImages: Uint8Array
  /** Environment numbers that {@link observe} takes: filled with 0, 1, 2, ... in `everyone`. */
  readonly everyone: Int32Array
  readonly selected: Int32Array

  private readonly streams: Uint32Array
  private readonly nextDraw: Int32Array
  private readonly kernels: KernelExports
  private readonly visibility: Uint16Array
  private readonly palette: Uint32Array
  private readonly saved: Uint8Array

  constructor(
    readonly numEnvs: number,
    readonly width: number,
    readonly height: number,
  ) {
    this.rowStride = width + 2 * PADDING
    this.gridStride = this.rowStride * (height + 2 * PADDING)
    const n = numEnvs
    const sizes: [bytes: number, count: number][] = []
    const reserve = (bytes: number, count: number) => sizes.push([bytes, count]) - 1
    // What is saved comes first, in one piece.
    const ids = {
      streams: reserve(1, n * STREAM_BYTES),
      nextDraw: reserve(4, n),
      grids: reserve(1, n * this.gridStride),
      contents: reserve(1, n * this.gridStride),
      position: reserve(4, n),
      steps: reserve(4, n),
      target: reserve(4, n),
      failure: reserve(4, n),
      obstacles: reserve(4, n * MAX_OBSTACLES),
      direction: reserve(1, n),
      carrying: reserve(1, n),
      carryingContents: reserve(1, n),
      mission: reserve(1, 3 * n),
      finished: reserve(1, n),
      imagesA: reserve(1, n * IMAGE_BYTES),
      imagesB: reserve(1, n * IMAGE_BYTES),
      finalImages: reserve(1, n * IMAGE_BYTES),
      everyone: reserve(4, n),
      selected: reserve(4, n),
      palette: reserve(4, 256),
      visibility: reserve(2, 1 << 14),
    }
    const offsets: number[] = []
    let end = 16
    for (const [bytes, count] of sizes) {
      offsets.push(end)
      end += (bytes * count + 15) & ~15
    }
    const pages = Math.ceil((end + 16) / PAGE)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536 })
    const { buffer } = memory
    const u8 = (id: number) => new Uint8Array(buffer, offsets[id]!, sizes[id]![1])
    const i32 = (id: number) => new Int32Array(buffer, offsets[id]!, sizes[id]![1])
    this.streams = new Uint32Array(buffer, offsets[ids.streams]!, (n * STREAM_BYTES) / 4)
    this.nextDraw = i32(ids.nextDraw)
    this.grids = u8(ids.grids)
    this.contents = u8(ids.contents)
    this.position = i32(ids.position)
    this.steps = i32(ids.steps)
    this.target = i32(ids.target)
    this.failure = i32(ids.failure)
    this.obstacles = i32(ids.obstacles)
    this.direction = u8(ids.direction)
    this.carrying = u8(ids.carrying)
    this.carryingContents = u8(ids.carryingContents)
    this.mission = u8(ids.mission)
    this.finished = u8(ids.finished)
    this.images = [u8(ids.imagesA), u8(ids.imagesB)]
    this.finalImages = u8(ids.finalImages)
    this.everyone = i32(ids.everyone)
    this.selected = i32(ids.selected)
    this.palette = new Uint32Array(buffer, offsets[ids.palette]!, 256)
    this.visibility = new Uint16Array(buffer, offsets[ids.visibility]!, 1 << 14)
    this.saved = new Uint8Array(buffer, offsets[0]!, offsets[ids.imagesA]! - offsets[0]!)

    this.everyone.forEach((_, i) => {
      this.everyone[i] = i
    })
    this.grids.fill(WALL)
    cellPalette(this.palette)
    visibilityTable(this.visibility)
    const instance = new WebAssembly.Instance(compile(), { env: { memory } })
    this.kernels = instance.exports as unknown as KernelExports
  }

  /** Index of a cell in its padded grid. */
  place(x: number, y: number): number {
    return (y + PADDING) * this.rowStride + x + PADDING
  }

  /** Starts numpy's stream of a seed in one environment. */
  seed(env: number, seed: number): void {
    const words = this.streams.subarray((env * STREAM_BYTES) / 4)
    seedSequence(seed, words)
    this.kernels.seedStream(words.byteOffset)
    this.nextDraw[env] = DRAWS
  }

  /** An integer in `[0, range)` from an environment's stream. */
  integer(env: number, range: number): number {
    const stream = this.streams.byteOffset + env * STREAM_BYTES
    return this.kernels.drawBounded(stream, this.nextDraw.byteOffset + 4 * env, DRAWS, range)
  }

  /** Shuffles in place, with an environment's stream, as numpy shuffles a list. */
  shuffle<T>(env: number, elements: T[]): void {
    const stream = this.streams.byteOffset + env * STREAM_BYTES
    const next = this.nextDraw.byteOffset + 4 * env
    for (let i = elements.length - 1; i > 0; i--) {
      const j = this.kernels.drawInterval(stream, next, DRAWS, i)
      ;[elements[i], elements[j]] = [elements[j]!, elements[i]!]
    }
  }

  /** Moves the first `count` obstacles of an environment to random empty places around them. */
  moveObstacles(env: number, count: number): void {
    this.kernels.moveObstacles(
      this.streams.byteOffset + env * STREAM_BYTES,
      this.nextDraw.byteOffset + 4 * env,
      DRAWS,
      this.grids.byteOffset + env * this.gridStride,
      this.rowStride,
      this.position[env]!,
      this.obstacles.byteOffset + 4 * MAX_OBSTACLES * env,
      count,
      this.width + PADDING,
      this.height + PADDING,
    )
  }

  /** Writes the images of the first `count` of `envs` (a field of this state) to `images`. */
  observe(envs: Int32Array, count: number, images: Uint8Array, seeThrough: boolean): void {
    this.kernels.observe(
      envs.byteOffset,
      count,
      this.grids.byteOffset,
      this.gridStride,
      this.rowStride,
      this.position.byteOffset,
      this.direction.byteOffset,
      this.carrying.byteOffset,
      this.visibility.byteOffset,
      this.palette.byteOffset,
      images.byteOffset,
      seeThrough,
    )
  }

  /** Cell codes as MiniGrid encodes them: object, colour, state. */
  encode(cells: Uint8Array): Uint8Array {
    const out = new Uint8Array(3 * cells.length)
    cells.forEach((code, i) => {
      const packed = this.palette[code]!
      out.set([packed & 255, (packed >> 8) & 255, packed >> 16], 3 * i)
    })
    return out
  }

  save(): Uint8Array {
    return this.saved.slice()
  }

  load(state: Uint8Array): void {
    if (state.length !== this.saved.length)
      throw new Error(
        `gridWorld: the state must come from the same \`numEnvs\`. Received ${state.length} bytes, ` +
          `expected ${this.saved.length}.`,
      )
    this.saved.set(state)
  }
}
