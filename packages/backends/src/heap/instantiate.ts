/** Instantiates a compiled kernel module on a memory that another module owns. */

/** One build of a module. */
interface WasmBinary {
  /** Offset of the byte that declares the imported memory as shared or not. */
  readonly memoryFlag: number
  readonly base64: string
}

/** What `tooling/build-wasm.mjs` writes to `src/generated/kernels.ts`. */
export interface WasmKernels<Exports> {
  readonly simd: WasmBinary
  /** The same with fused multiply-add. */
  readonly relaxedSimd: WasmBinary
  /** Carries the type of the exports. */
  readonly exports?: Exports
}

const memoryFlags = { private: 1, shared: 3 }

function decode({ base64, memoryFlag }: WasmBinary, shared: boolean): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  // The threaded tfjs build has a shared memory, and the import must say so. It is the only difference.
  bytes[memoryFlag] = shared ? memoryFlags.shared : memoryFlags.private
  return bytes
}

/** Whether the engine runs WebAssembly SIMD, which all kernels of ours are compiled for. */
export function hasSimd(module: WasmKernels<unknown>): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(decode(module.simd, false))
}

/** @throws when the engine has no WebAssembly SIMD. Without the check, a kernel would throw a bare `CompileError`. */
export function requireSimd(module: WasmKernels<unknown>): void {
  if (!hasSimd(module))
    throw new Error(
      'WasmKernels: the engine must run WebAssembly SIMD (Chrome 91, Firefox 89, Safari 16.4, Node 16.4 or newer). ' +
        "Received an engine without it. Update it, or choose another backend: useBackend('webgl') or useBackend('cpu').",
    )
}

/**
 * Whether the engine runs the relaxed SIMD build of `module`. Node 20 does with `--experimental-wasm-relaxed-simd`.
 *
 * @param module What `tooling/build-wasm.mjs` writes to a package's `src/generated/kernels.ts`.
 *
 * @example
 * ```ts
 * import { hasRelaxedSimd, type WasmKernels } from '@tfgraft/backends'
 *
 * // In a package with kernels: import { kernels } from './generated/kernels'. Here both builds are the empty module.
 * const empty = { base64: 'AGFzbQEAAAA=', memoryFlag: 8 }
 * const kernels: WasmKernels<unknown> = { simd: empty, relaxedSimd: empty }
 * console.log(hasRelaxedSimd(kernels)) // true: every engine runs the empty module
 * ```
 */
export function hasRelaxedSimd(module: WasmKernels<unknown>): boolean {
  return WebAssembly.validate(decode(module.relaxedSimd, false))
}

/** Whether threads may share the memory. */
export const isShared = (memory: WebAssembly.Memory) =>
  typeof SharedArrayBuffer !== 'undefined' && memory.buffer instanceof SharedArrayBuffer

/** The build of `module` that the engine runs best, for instances on `memory`. */
export function compile(module: WasmKernels<unknown>, memory: WebAssembly.Memory): WebAssembly.Module {
  requireSimd(module)
  const build = hasRelaxedSimd(module) ? module.relaxedSimd : module.simd
  // Synchronous, since kernels are called synchronously. Browsers allow that up to 8 MB; ours have tens of kB.
  return new WebAssembly.Module(decode(build, isShared(memory)))
}
