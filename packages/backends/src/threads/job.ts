/**
 * How a job is described to the workers: a few words in shared memory, beside the heap, that never move.
 *
 * A job is a function of a compiled module, called once per tile with that tile's arguments. Whoever takes the next number of
 * the ticket computes that tile. Nobody waits for a worker that takes none.
 */

/** Indices of 32-bit words. Those that several threads write at once lie in cache lines of their own. */
export const words = {
  /** module << 24 | number of tiles << 16 | next tile. */
  ticket: 0,
  /** Tiles that workers have finished. */
  done: 16,
  /** The calling thread sleeps until workers have finished their tiles. */
  callerSleeps: 17,
  /** Grows with each job; workers sleep on it. */
  wake: 32,
  sleepers: 33,
  /** Messages sent: a worker that has seen fewer goes and reads them. */
  messages: 34,
  kernel: 48,
  argumentCount: 49,
  /** Which argument is the thread's scratch; -1 for none. */
  scratchArgument: 50,
  scratchBytes: 51,
  /** A kernel trapped in a worker. */
  failed: 52,
  count: 64,
} as const

export const maxTiles = 64
export const maxArguments = 32
/** In the array of arguments, after those of all tiles: the address of the first thread's scratch. */
export const scratchSlot = maxTiles * maxArguments

/** What a worker gets first. */
export interface WorkerStart {
  /** 1 for the first worker; the calling thread is 0. */
  thread: number
  control: Int32Array
  parameters: Float64Array
  memory: WebAssembly.Memory
  words: typeof words
  maxArguments: number
  scratchSlot: number
  /** How often an idle worker looks for a job before it sleeps. */
  spins: number
}

/** What it gets when a module is used for the first time. Modules are numbered from 1. */
export interface WorkerModule {
  module: WebAssembly.Module
}
