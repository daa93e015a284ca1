/**
 * `dataSync` on WebGPU in Node. tfjs reads synchronously through an OffscreenCanvas, which Node lacks, so every `dataSync`
 * throws there. But Dawn's binding looks for finished work in callbacks that it gives to the global `setImmediate`: a read
 * that keeps those callbacks can run them itself until its buffer is mapped, and needs no event loop.
 */
import * as tf from '@tensorflow/tfjs-core'

interface MappableBuffer {
  readonly size: number
  readonly mapState: 'unmapped' | 'pending' | 'mapped'
  mapAsync(mode: number): Promise<unknown>
  getMappedRange(): ArrayBuffer
  unmap(): void
}

/** What we use of tfjs's `WebGPUBackend`; most of it is private there. */
interface ReadableBackend {
  readSync(dataId: object): tf.BackendValues
  tensorMap: {
    get(dataId: object): { values?: tf.BackendValues; dtype: tf.DataType; resource: MappableBuffer }
  }
  bufferManager: {
    acquireBuffer(size: number, usage: number): MappableBuffer
    releaseBuffer(buffer: MappableBuffer): void
  }
  commandEncoder: {
    copyBufferToBuffer(
      from: MappableBuffer,
      start: number,
      to: MappableBuffer,
      at: number,
      size: number,
    ): void
  }
  ensureCommandEncoderReady(): void
  endComputePassEncoder(): void
  submitQueue(): void
  convertAndCacheOnCPU(dataId: object, values: tf.BackendValues): tf.BackendValues
}

/** Numbers of the WebGPU standard. */
const usage = { mapRead: 0x1, copyDestination: 0x8 }
const mapModeRead = 0x1

const dawnCallbacks: (() => void)[] = []

/** A native function without a name. JavaScript's own native functions, bound ones too, have names. */
const isFromDawn = (callback: unknown): callback is () => void =>
  typeof callback === 'function' && callback.name === '' && /\[native code\]/.test(`${callback}`)

/** Keeps the callbacks of Dawn within reach; each still runs once. Install it before Dawn starts. */
export function keepDawnCallbacks(): void {
  const { setImmediate } = globalThis
  const keeping = (callback: (...args: unknown[]) => void, ...args: unknown[]) => {
    if (!isFromDawn(callback)) return setImmediate(callback, ...args)
    const once = () => {
      const place = dawnCallbacks.indexOf(once)
      if (place < 0) return
      dawnCallbacks.splice(place, 1)
      callback()
    }
    dawnCallbacks.push(once)
    return setImmediate(once)
  }
  // With its properties, such as the one for `util.promisify`.
  globalThis.setImmediate = Object.defineProperties(
    keeping,
    Object.getOwnPropertyDescriptors(setImmediate),
  ) as typeof setImmediate
}

/** Gives a backend on Dawn in Node a `readSync` that works. */
export function readSynchronously(tfjsBackend: object): void {
  const backend = tfjsBackend as ReadableBackend
  const readSync = backend.readSync.bind(backend)
  backend.readSync = (dataId) => {
    const { values, dtype, resource } = backend.tensorMap.get(dataId)
    if (values || dtype === 'string' || dtype === 'complex64') return readSync(dataId)
    const bytes = bytesOf(backend, resource)
    return backend.convertAndCacheOnCPU(dataId, tf.util.convertBackendValuesAndArrayBuffer(bytes, dtype))
  }
}

function bytesOf(backend: ReadableBackend, buffer: MappableBuffer): ArrayBuffer {
  const staging = backend.bufferManager.acquireBuffer(buffer.size, usage.mapRead | usage.copyDestination)
  backend.ensureCommandEncoderReady()
  backend.endComputePassEncoder()
  backend.commandEncoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size)
  backend.submitQueue()
  staging.mapAsync(mapModeRead).catch(() => {}) // the state below tells
  while (staging.mapState === 'pending' && dawnCallbacks.length) dawnCallbacks[0]!()
  if (staging.mapState !== 'mapped')
    throw new Error(
      `webgpu: a buffer of ${buffer.size} bytes could not be read. Received state '${staging.mapState}'; is the device lost?`,
    )
  const bytes = staging.getMappedRange().slice(0)
  staging.unmap()
  backend.bufferManager.releaseBuffer(staging)
  return bytes
}
