/** Every rule of a module that shares the wasm backend's heap. */
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-layers'
import * as tf from '@tensorflow/tfjs-core'
import { useBackend } from '@tfgraft/backends'
import { expectClose } from '@tfgraft/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { kernels } from '../generated/kernels'
import { rmsNorm } from '../ops/rms-norm'
import { hasRelaxedSimd } from './instantiate'
import { WasmHeapExhausted, wasmHeap } from './wasm-heap'

const memoryBytes = () => wasmHeap().floats(0, 0).buffer.byteLength

/** One gradient step's loss and gradient, through a fused kernel. */
const lossAndGradient = (x: tf.Tensor, gain: tf.Tensor): number[] =>
  tf.tidy(() => {
    const { value, grads } = tf.valueAndGrads((v: tf.Tensor, g: tf.Tensor) =>
      tf.mean(tf.square(tf.sub(rmsNorm(v, g), 1))),
    )([x, gain])
    return [value.dataSync()[0]!, ...grads[0]!.dataSync(), ...grads[1]!.dataSync()]
  })

describe('a module on the heap of the wasm backend', () => {
  beforeEach(async () => {
    await useBackend('wasm')
    tf.engine().startScope()
  })
  afterEach(() => tf.engine().endScope())

  it('rejects other backends', async () => {
    await tf.setBackend('cpu')
    expect(() => wasmHeap()).toThrow("wasmHeap: the backend must be wasm. Received 'cpu'.")
  })

  it('survives growth of the memory in the middle of training', () => {
    const x = tf.randomNormal([64, 33], 0, 1, 'float32', 1)
    const gain = tf.ones([33])
    const before = lossAndGradient(x, gain)
    const view = wasmHeap().floats(wasmHeap().pointer(x), 4)
    const bytes = memoryBytes()
    const ballast = []
    while (memoryBytes() === bytes) ballast.push(tf.zeros([1 << 20]))
    expect(view.length).toBe(0) // growth detached it
    expectClose(lossAndGradient(x, gain), before, { rtol: 0, atol: 0 })
    expectClose(wasmHeap().floats(wasmHeap().pointer(x), 4), x.dataSync().slice(0, 4), { rtol: 0, atol: 0 })
    tf.dispose(ballast)
  })

  it('makes products see weights that were written in place', () => {
    const heap = wasmHeap()
    const x = tf.ones([1, 2])
    const w = tf.tensor2d([1, 2, 3, 4], [2, 2])
    expectClose(tf.matMul(x, w), { shape: [1, 2], data: [4, 6] })
    heap.floats(heap.pointer(w), 4).set([10, 20, 30, 40])
    heap.written(w)
    expectClose(tf.matMul(x, w), { shape: [1, 2], data: [40, 60] })
    expectClose(w, { shape: [2, 2], data: [10, 20, 30, 40] })
  })

  it('gives scratch that is aligned, distinct when nested, and freed also after an error', () => {
    const heap = wasmHeap()
    heap.scratch(4096, () => 0)
    const bytes = memoryBytes()
    for (let i = 0; i < 2000; i++) {
      heap.scratch(1 << 20, (outer) =>
        heap.scratch(1 << 16, (inner) => {
          expect(outer % 16).toBe(0)
          expect(Math.abs(outer - inner)).toBeGreaterThanOrEqual(1 << 16)
        }),
      )
      expect(() =>
        heap.scratch(1 << 20, () => {
          throw new Error('kernel failed')
        }),
      ).toThrow('kernel failed')
    }
    expect(memoryBytes() - bytes).toBeLessThan(8 << 20)
  })

  it('keeps memory flat over 10,000 steps', () => {
    const x = tf.randomNormal([8, 16], 0, 1, 'float32', 1)
    const gain = tf.ones([16])
    lossAndGradient(x, gain)
    const [bytes, { numTensors }] = [memoryBytes(), tf.memory()]
    for (let step = 0; step < 10_000; step++) lossAndGradient(x, gain)
    expect(memoryBytes()).toBe(bytes)
    expect(tf.memory().numTensors).toBe(numTensors)
  })

  it('is instantiated anew when the backend is replaced', async () => {
    const exports = wasmHeap().kernels(kernels)
    expect(wasmHeap().kernels(kernels)).toBe(exports)
    const factory = tf.findBackendFactory('wasm')
    tf.removeBackend('wasm')
    tf.registerBackend('wasm', factory, 2)
    await useBackend('wasm')
    expect(wasmHeap().kernels(kernels)).not.toBe(exports)
    expectClose(rmsNorm(tf.tensor1d([3, 4]), tf.ones([2]), 0), {
      shape: [2],
      data: [3 / Math.sqrt(12.5), 4 / Math.sqrt(12.5)],
    })
  })

  it('imports the shared memory of the threaded backend', () => {
    const memory = new WebAssembly.Memory({ initial: 256, maximum: 65_536, shared: true })
    const threaded = {
      wasm: { asm: { memory }, _malloc: () => 1024, HEAPU8: new Uint8Array(memory.buffer) },
      dataIdMap: {},
    }
    const heap = wasmHeap(threaded)
    heap.floats(1024, 2).set([3, 4])
    heap.floats(2048, 2).set([1, 1])
    heap.kernels(kernels).rmsNorm(1024, 2048, 3072, 4096, 1, 2, 0)
    expectClose(heap.floats(3072, 2), [3 / Math.sqrt(12.5), 4 / Math.sqrt(12.5)])
  })

  it('names what is missing on an engine without WebAssembly SIMD, also when tf.setBackend chose wasm', async () => {
    const factory = tf.findBackendFactory('wasm')
    tf.removeBackend('wasm') // on a new heap, the kernels are instantiated anew
    tf.registerBackend('wasm', factory, 2)
    await tf.setBackend('wasm')
    const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false)
    expect(() => rmsNorm(tf.ones([1, 2]), tf.ones([2]))).toThrow(
      'WasmKernels: the engine must run WebAssembly SIMD',
    )
    validate.mockRestore()
    expectClose(rmsNorm(tf.ones([1, 2]), tf.ones([2]), 0), { shape: [1, 2], data: [1, 1] })
  })

  it('chooses the relaxed build only where the engine runs it', () => {
    // Offset 4 holds the version: an engine that cannot run a module does not validate it.
    const broken = { ...kernels, relaxedSimd: { memoryFlag: 5, base64: 'AGFzbf8AAAA=' } }
    expect(hasRelaxedSimd(broken)).toBe(false)
    expect(hasRelaxedSimd({ ...kernels, relaxedSimd: kernels.simd })).toBe(true)
  })

  it('names an allocation that fails at 4 GiB, and goes on after tensors are disposed', () => {
    const heap = wasmHeap()
    const small = tf.tensor1d([1, 2, 3])
    const gigabytes: tf.TensorInfo[] = []
    const fill = () => {
      for (;;) gigabytes.push(heap.output([1 << 28]))
    }
    expect(fill).toThrow(WasmHeapExhausted)
    expect(fill).toThrow(`must have room for ${2 ** 30} more bytes`)
    expect(() => heap.scratch(2 ** 30, () => 0)).toThrow(WasmHeapExhausted)
    expect(gigabytes.length).toBeGreaterThanOrEqual(2)
    expectClose(small, { shape: [3], data: [1, 2, 3] }) // nothing aliased it
    for (const { dataId } of gigabytes) tf.backend().disposeData(dataId, true)
    expectClose(rmsNorm(tf.tensor1d([3, 4]), tf.ones([2]), 0), {
      shape: [2],
      data: [3 / Math.sqrt(12.5), 4 / Math.sqrt(12.5)],
    })
  })
})
