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

/** Whether the engine runs the relaxed SIMD build. Node 20 does with `--experimental-wasm-relaxed-simd`. */
export function hasRelaxedSimd(module: WasmKernels<unknown>): boolean {
  return WebAssembly.validate(decode(module.relaxedSimd, false))
}

export function instantiate<Exports>(module: WasmKernels<Exports>, memory: WebAssembly.Memory): Exports {
  const shared = typeof SharedArrayBuffer !== 'undefined' && memory.buffer instanceof SharedArrayBuffer
  const build = hasRelaxedSimd(module) ? module.relaxedSimd : module.simd
  // Synchronous, since kernels are called synchronously. Browsers allow that up to 8 MB; ours have tens of kB.
  const instance = new WebAssembly.Instance(new WebAssembly.Module(decode(build, shared)), {
    env: { memory },
  })
  return instance.exports as Exports
}
