/**
 * Makes the memory of tfjs's wasm module shared, so that workers can compute in it.
 *
 * tfjs ships a threaded build too. It does not run in Node, and its pool waits for every worker after every operation:
 * a core that is busy with something else stops it. Stock's single-threaded SIMD build needs one byte changed instead:
 * the limits of its memory say "shared". Its instructions are the same on a shared memory.
 */

const memorySection = 5
const limits = { bounded: 1, boundedAndShared: 3 }

function readLeb128(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!
    value |= (byte & 127) << shift
    if (byte < 128) return [value, at]
  }
}

/**
 * A copy of the wasm `binary` whose own memory is shared.
 *
 * @throws when it has no memory of its own with an upper bound, without which a memory cannot be shared.
 */
export function shareMemoryOf(binary: Uint8Array): Uint8Array<ArrayBuffer> {
  const shared = new Uint8Array(binary)
  let at = 8
  while (at < shared.length) {
    const id = shared[at]!
    const [size, start] = readLeb128(shared, at + 1)
    if (id === memorySection) {
      const [, flags] = readLeb128(shared, start)
      if (shared[flags] === limits.bounded || shared[flags] === limits.boundedAndShared) {
        shared[flags] = limits.boundedAndShared
        return shared
      }
    }
    at = start + size
  }
  throw new Error(
    'shareMemoryOf: the module must have a memory of its own with an upper bound. Received one without.',
  )
}

/** tfjs's module, by the name of one of its exports. */
const isTfjs = (binary: Uint8Array) => new TextDecoder('latin1').decode(binary).includes('register_tensor')

const bytesOf = (source: BufferSource): Uint8Array =>
  ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source)

/**
 * Runs `start`, which starts tfjs's wasm backend, with the module's memory shared. tfjs has no hook for its binary, which may
 * come from a file, a URL or the user's own path; but all ways end in `WebAssembly.instantiate`, replaced for the time being.
 */
export async function withSharedMemory<T>(start: () => Promise<T>): Promise<T> {
  const stock = {
    instantiate: WebAssembly.instantiate,
    instantiateStreaming: WebAssembly.instantiateStreaming,
  }
  const instantiate = async (source: BufferSource | WebAssembly.Module, imports?: WebAssembly.Imports) => {
    if (source instanceof WebAssembly.Module) return stock.instantiate(source, imports)
    const bytes = bytesOf(source)
    return stock.instantiate(isTfjs(bytes) ? shareMemoryOf(bytes) : (bytes as BufferSource), imports)
  }
  Object.assign(WebAssembly, {
    instantiate,
    instantiateStreaming: async (response: Response | Promise<Response>, imports?: WebAssembly.Imports) =>
      instantiate(await (await response).arrayBuffer(), imports),
  })
  try {
    return await start()
  } finally {
    Object.assign(WebAssembly, stock)
  }
}
