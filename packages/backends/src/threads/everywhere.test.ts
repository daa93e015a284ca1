/** Threads in Node and, by `pnpm test:browser`, in Chromium, where the test's page is cross-origin isolated. */
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-layers'
import * as tf from '@tensorflow/tfjs-core'
import { useBackend, wasmHeap } from '@tfgraft/backends'
import { expectClose } from '@tfgraft/testing'
import { expect, it, vi } from 'vitest'
import { kernels } from '../generated/kernels'
import { compile } from '../heap/instantiate'
import { startThreadPool } from './thread-pool'

it('the heap is shared, and two threads give the bits of one', async () => {
  await useBackend('wasm', { threads: 2 })
  expect(wasmHeap().floats(0, 0).buffer).toBeInstanceOf(SharedArrayBuffer)
  const filter = tf.variable(tf.randomNormal([3, 3, 8, 16], 0, 0.1, 'float32', 1) as tf.Tensor4D)
  const x = tf.randomNormal([16, 24, 24, 8], 0, 1, 'float32', 2) as tf.Tensor4D
  const gradient = () =>
    tf.tidy(() => {
      const { grads } = tf.variableGrads(() => tf.sum(tf.tanh(tf.conv2d(x, filter, 1, 'same'))))
      return Object.values(grads)[0]!.dataSync()
    })
  const product = () =>
    tf.tidy(() => tf.matMul(tf.reshape(x, [576, 128]), tf.reshape(x, [128, 576])).dataSync())
  expect(wasmHeap().threads).toBe(2)
  const [productOfTwo, gradientOfTwo] = [product(), gradient()]
  await useBackend('wasm', { threads: 1 })
  expect(productOfTwo).toEqual(product())
  // On one thread the forward pass is stock's, whose sums are in another order.
  expectClose(gradientOfTwo, gradient(), { rtol: 1e-4, atol: 1e-3 })
})

it('a worker computes tiles while the calling thread is busy with another', async () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  const pool = await startThreadPool(memory, 2)
  const module = compile(kernels, memory)
  const floats = new Float32Array(memory.buffer)
  let own = 0
  pool.run({
    module,
    kernel: WebAssembly.Module.exports(module).findIndex(({ name }) => name === 'exp'),
    call: () => {
      own++
      for (const start = performance.now(); performance.now() - start < 20; );
    },
    tiles: Array.from({ length: 32 }, (_, i) => [i * 4, 1024 + i * 4, 1]),
    ...{ scratchArgument: -1, scratch: 0, scratchBytes: 0 },
  })
  const computed = Array.from(floats.subarray(256, 256 + 32)).filter((value) => value === 1).length
  expect(computed).toBeGreaterThan(0)
  expect(computed + own).toBe(32)
  pool.dispose()
})

it('a worker that comes late is left alone for a while', async () => {
  const pages = 1024
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  const pool = await startThreadPool(memory, 2)
  const module = compile(kernels, memory)
  const half = pages * 32_768
  const job = {
    module,
    kernel: WebAssembly.Module.exports(module).findIndex(({ name }) => name === 'erf'),
    // The calling thread is done after a millisecond, the worker after some twenty: as if it had been kept from a core.
    call: () => {
      for (const start = performance.now(); performance.now() - start < 1; );
    },
    tiles: [0, 1].map(() => [0, half, half / 4]),
    ...{ scratchArgument: -1, scratch: 0, scratchBytes: 0 },
  }
  // Until the worker has been awake in time to take a tile.
  for (let tries = 0; tries < 1000 && pool.isFree(); tries++) pool.run(job)
  expect(pool.isFree()).toBe(false)
  // A pause lasts up to a second, which is as long as `waitFor` waits by itself.
  await vi.waitFor(() => expect(pool.isFree()).toBe(true), 10_000)
  pool.dispose()
})
