/**
 * The heap of tfjs's wasm backend, for kernels of our own that work on tensors in place.
 *
 * The rules, each with a test in `wasm-heap.test.ts`:
 * - The backend alone grows the memory. Growth detaches every JavaScript view of it (a shared memory's keep their old length),
 *   so views are made per call. Workers hold none.
 * - Scratch comes from the backend's own allocator and goes back after the call.
 * - At 4 GiB the allocator returns address 0. It is checked each time, because tensors would alias there.
 * - XNNPACK caches packed weights per tensor. Whoever writes to an existing tensor calls `written`.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { ThreadPool } from '../threads/thread-pool'
import { cutIntoTiles } from '../threads/tiles'
import { compile, type WasmKernels } from './instantiate'

/** A tensor's data on the heap. */
export interface HeapTensor extends tf.TensorInfo {
  /** Byte address. Stays valid while the tensor lives, also when the memory grows. */
  readonly pointer: number
}

/** What kernels may do with the heap of a wasm backend. */
export interface WasmHeap {
  /** Byte address of a tensor's data. */
  pointer(tensor: tf.TensorInfo): number
  /** Allocates a tensor, uninitialised. A kernel returns it as its output. */
  output(shape: readonly number[], dtype?: 'float32' | 'int32' | 'bool'): HeapTensor
  /** Frees an output that the kernel does not return after all. */
  discard(output: tf.TensorInfo): void
  /** Runs `body` with the 16-byte aligned address of `bytes` bytes, uninitialised, freed afterwards. */
  scratch<T>(bytes: number, body: (pointer: number) => T): T
  /**
   * The exports of a module that `tooling/build-wasm.mjs` compiled, instantiated once per heap.
   *
   * @throws on engines without WebAssembly SIMD.
   */
  kernels<Exports>(module: WasmKernels<Exports>): Exports
  /** Threads that compute in this heap, with the calling one: see `useBackend`. */
  readonly threads: number
  /**
   * Runs a kernel over `length` independent items, on several threads where that pays: an item may be a row, an image, a few
   * elements. Waits until all are done.
   *
   * The kernel is called once per tile of items, in any order and at the same time, so no tile may read or write what another
   * writes, and no item's result may depend on where tiles begin. Then all numbers of threads give the same results.
   */
  parallelFor<Exports, Name extends KernelName<Exports>>(
    module: WasmKernels<Exports>,
    kernel: Name,
    items: ParallelItems<KernelParameters<Exports, Name>>,
  ): void
  /** A view of `length` floats, valid until the next allocation. */
  floats(pointer: number, length: number): Float32Array
  /** A view of `length` integers, valid until the next allocation. */
  integers(pointer: number, length: number): Int32Array
  /** Must follow every write to a tensor that existed before: drops weights that XNNPACK has packed from it. */
  written(tensor: tf.TensorInfo): void
}

/** Names of the functions that a module exports. */
export type KernelName<Exports> = {
  [Name in keyof Exports]: Exports[Name] extends (...parameters: never[]) => unknown ? Name : never
}[keyof Exports] &
  string

export type KernelParameters<Exports, Name extends keyof Exports> = Exports[Name] extends (
  ...parameters: infer Parameters
) => unknown
  ? Parameters
  : []

export interface ParallelItems<Parameters extends readonly unknown[]> {
  length: number
  /** About how many nanoseconds an item takes. Work that is done sooner than it is shared stays on the calling thread. */
  cost: number
  /** Tiles begin at multiples of this, say because the kernel computes 4 rows at a time. @default 1 */
  multiple?: number
  /** Bytes of memory for each thread. @default 0 */
  scratch?: number
  /** The kernel's arguments for `count` items from `start` on; `scratch` is the address of the thread's memory, if any. */
  parameters: (start: number, count: number, scratch: number) => readonly [...Parameters]
}

/** What we use of `BackendWasm`, which its package does not export. */
interface WasmBackend {
  readonly wasm: EmscriptenModule
  readonly dataIdMap: { get(dataId: object): { id: number; memoryOffset: number; shape: number[] } }
  makeOutput(shape: number[], dtype: tf.DataType): tf.TensorInfo
  disposeData(dataId: object, force?: boolean): boolean
}

interface EmscriptenModule {
  readonly HEAPU8: Uint8Array
  /** Absent in the threaded build, which has `wasmMemory`. */
  readonly asm?: { readonly memory?: WebAssembly.Memory }
  readonly wasmMemory?: WebAssembly.Memory
  _malloc(bytes: number): number
  _free(pointer: number): void
  readonly tfjs: {
    registerTensor(id: number, size: number, pointer: number): void
    disposeData(id: number): void
  }
}

/**
 * The wasm backend has no memory left. Training may go on after tensors are disposed.
 *
 * @example
 * ```ts
 * import { useBackend, WasmHeapExhausted, wasmHeap } from '@tfgraft/backends'
 *
 * await useBackend('wasm')
 * try {
 *   wasmHeap().scratch(2 ** 32 - 16, () => {}) // all that wasm can address, of which a part is in use
 * } catch (error) {
 *   if (!(error instanceof WasmHeapExhausted)) throw error
 *   console.log(error.message) // time to dispose tensors, or to take a smaller batch
 * }
 * ```
 */
export class WasmHeapExhausted extends Error {
  override readonly name = 'WasmHeapExhausted'
  constructor(bytes: number) {
    super(`WasmHeap: the wasm backend's memory (at most 4 GiB) must have room for ${bytes} more bytes.`)
  }
}

interface HeapState {
  heap: WasmHeap
  memory: WebAssembly.Memory
  pool?: ThreadPool
}

const heaps = new WeakMap<EmscriptenModule, HeapState>()

/** Stands for the address of a thread's scratch, which each thread fills in. No kernel takes it as a value. */
const threadScratch = -1.5e300

/**
 * The heap of the wasm backend: of `backend` when given, else of the current one.
 *
 * @throws when that is not a wasm backend.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { useBackend, wasmHeap } from '@tfgraft/backends'
 *
 * await useBackend('wasm')
 * const heap = wasmHeap()
 * const x = tf.tensor1d([1, 2, 3])
 * heap.floats(heap.pointer(x), 3).set([10, 20, 30]) // in place, without a copy
 * heap.written(x)
 * x.print() // [10, 20, 30]
 * ```
 */
export function wasmHeap(backend: unknown = tf.backend()): WasmHeap {
  return heapState(backend).heap
}

/** The heap with what only `useThreads` needs. */
export function heapState(backend: unknown): HeapState {
  if (!isWasmBackend(backend))
    throw new Error(`wasmHeap: the backend must be wasm. Received '${tf.getBackend()}'.`)
  let state = heaps.get(backend.wasm)
  if (!state) {
    state = createHeap(backend)
    heaps.set(backend.wasm, state)
  }
  return state
}

function isWasmBackend(backend: unknown): backend is WasmBackend {
  const { wasm, dataIdMap } = (backend ?? {}) as Partial<WasmBackend>
  return dataIdMap !== undefined && typeof wasm?._malloc === 'function'
}

function createHeap(backend: WasmBackend): HeapState {
  const { wasm } = backend
  const memory = wasm.asm?.memory ?? wasm.wasmMemory
  if (!memory) throw new Error('wasmHeap: tfjs-backend-wasm must expose its memory, as version 4.22 does.')
  const instances = new Map<WasmKernels<unknown>, Instance>()

  // The allocator returns a signed integer, and 0 when there is no memory left.
  const checked = (pointer: number, bytes: number): number => {
    if (pointer === 0 && bytes > 0) throw new WasmHeapExhausted(bytes)
    return pointer >>> 0
  }

  const instanceOf = (kernels: WasmKernels<unknown>): Instance => {
    let instance = instances.get(kernels)
    if (!instance) {
      const module = compile(kernels, memory)
      const { exports } = new WebAssembly.Instance(module, { env: { memory } })
      instance = { module, exports, names: Object.keys(exports) }
      instances.set(kernels, instance)
    }
    return instance
  }

  const heap: WasmHeap = {
    get threads() {
      return state.pool?.threads ?? 1
    },
    pointer(tensor) {
      return checked(backend.dataIdMap.get(tensor.dataId).memoryOffset, tf.util.sizeFromShape(tensor.shape))
    },
    output(shape, dtype = 'float32') {
      const info = backend.makeOutput([...shape], dtype)
      const { memoryOffset } = backend.dataIdMap.get(info.dataId)
      const bytes = tf.util.sizeFromShape(info.shape) * tf.util.bytesPerElement(dtype)
      if (memoryOffset === 0 && bytes > 0) backend.disposeData(info.dataId, true)
      return { ...info, pointer: checked(memoryOffset, bytes) }
    },
    discard: ({ dataId }) => void backend.disposeData(dataId, true),
    scratch(bytes, body) {
      const pointer = checked(wasm._malloc(bytes + 15), bytes)
      try {
        return body(((pointer + 15) & ~15) >>> 0)
      } finally {
        wasm._free(pointer)
      }
    },
    kernels: <Exports>(module: WasmKernels<Exports>) => instanceOf(module).exports as Exports,
    parallelFor(kernels, kernel, { length, cost, multiple = 1, scratch = 0, parameters }) {
      if (length === 0) return
      const { module, exports, names } = instanceOf(kernels)
      const call = exports[kernel] as (...parameters: unknown[]) => void
      const { pool } = state
      const tiles = pool?.isFree() ? cutIntoTiles(length, { cost, threads: pool.threads, multiple }) : []
      if (!pool || tiles.length < 2) {
        if (scratch === 0) call(...parameters(0, length, 0))
        else heap.scratch(scratch, (address) => call(...parameters(0, length, address)))
        return
      }
      const bytes = (scratch + 63) & ~63
      const share = (address: number) => {
        const lists = tiles.map(([start, count]) =>
          Array.from(parameters(start, count, threadScratch), Number),
        )
        const scratchArgument = lists[0]!.indexOf(threadScratch)
        // For the calling thread; workers fill in addresses of their own.
        if (scratchArgument >= 0) for (const list of lists) list[scratchArgument] = address
        pool.run({
          ...{ module, kernel: names.indexOf(kernel), call, tiles: lists },
          ...{ scratchArgument, scratch: address, scratchBytes: bytes },
        })
      }
      if (bytes === 0) share(0)
      else heap.scratch(bytes * pool.threads, share)
    },
    floats: (pointer, length) => new Float32Array(wasm.HEAPU8.buffer, pointer, length),
    integers: (pointer, length) => new Int32Array(wasm.HEAPU8.buffer, pointer, length),
    written(tensor) {
      const { id, memoryOffset } = backend.dataIdMap.get(tensor.dataId)
      wasm.tfjs.disposeData(id)
      wasm.tfjs.registerTensor(id, tf.util.sizeFromShape(tensor.shape), memoryOffset)
    },
  }
  const state: HeapState = { heap, memory }
  return state
}

interface Instance {
  module: WebAssembly.Module
  exports: WebAssembly.Exports
  /** Of the exports, in order: workers know kernels by their place. */
  names: string[]
}
