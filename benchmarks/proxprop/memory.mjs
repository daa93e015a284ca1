/**
 * Memory of one training step, without the batch, in seconds:
 * - tensors: the most bytes of tensors that are alive after any kernel of it, as tfjs counts them (`tf.profile`);
 * - heap: the most bytes taken from the wasm heap at any time, so that tensors that share their data count once, and the
 *   scratch of our kernels counts (the Cholesky factor, the Gram matrix that CG works on). Packed weights that XNNPACK
 *   caches are not in it.
 *
 *     node benchmarks/proxprop/memory.mjs [--out file.json]
 *
 * Run `pnpm build` first.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { useBackend } from '@tfgraft/backends'
import { environment } from '@tfgraft/bench/measure'
import { batchOf, convNet, courseNet, mlp, setupOf } from './networks.mjs'

const { values } = parseArgs({ options: { out: { type: 'string' } } })
const backend = await useBackend('wasm')

/** Bytes on the wasm heap: now, and at most since the last `restart`. */
const heap = { now: 0, most: 0, restart: () => Object.assign(heap, { most: heap.now }) }
const { wasm } = tf.backend()
tf.square(tf.ones([8])).dispose() // emscripten puts the functions themselves in place at their first call
const { _malloc: allocate, _free: free } = wasm
const sizes = new Map()
wasm._malloc = (bytes) => {
  const pointer = allocate(bytes)
  sizes.set(pointer, bytes)
  heap.now += bytes
  heap.most = Math.max(heap.most, heap.now)
  return pointer
}
wasm._free = (pointer) => {
  heap.now -= sizes.get(pointer) ?? 0
  sizes.delete(pointer)
  free(pointer)
}

async function measure(net) {
  const batch = batchOf(net)
  const results = {}
  for (const name of Object.keys(net.contenders)) {
    const before = tf.memory().numBytes
    const heapBefore = heap.now
    const setup = setupOf(net, name)
    const step = () => {
      const { loss, predictions } = setup.step(setup, batch, { epoch: 0, step: 0, seed: 0 })
      tf.dispose([loss, predictions])
    }
    step() // builds weights
    const weights = tf.memory().numBytes - before
    const { peakBytes } = await tf.profile(step)
    heap.restart()
    step()
    results[name] = { weights, tensors: peakBytes - before, heap: heap.most - heapBefore }
    setup.model.dispose()
  }
  tf.dispose(batch)
  return { title: net.title, results }
}

const nets = []
for (const net of [courseNet, mlp, convNet]) nets.push(await measure(net))
const mebibytes = (bytes) => Number((bytes / 2 ** 20).toFixed(2))
for (const { title, results } of nets) {
  console.log(title)
  console.table(
    Object.fromEntries(
      Object.entries(results).map(([name, bytes]) => [
        name,
        Object.fromEntries(Object.entries(bytes).map(([what, count]) => [`${what}, MiB`, mebibytes(count)])),
      ]),
    ),
  )
}
const report = { command: 'node benchmarks/proxprop/memory.mjs', environment: environment(backend), nets }
if (values.out) writeFileSync(values.out, `${JSON.stringify(report, null, 2)}\n`)
