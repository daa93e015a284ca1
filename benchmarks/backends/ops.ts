/** Products and memory-bound kernels: tfjs-backend-wasm beside ours. */
import * as tf from '@tensorflow/tfjs-core'
import { wasmHeap } from '@tfgraft/backends'
import { median } from '@tfgraft/bench/measure'
import { kernels } from '../../packages/backends/src/generated/kernels'
import { memoryBound, type ProductCase, products } from './cases'
import { inTurns, type Timing, timed, warmUp } from './measure'
import type { Contestants } from './stock-and-ours'

/** Which rows to measure. */
export type Choice = (row: { name: string }) => boolean

export interface ProductResult extends Timing {
  name: string
  shape: string
  /** GFLOP/s. */
  stockRate: number
  ourRate: number
}

export interface MemoryResult extends Timing {
  name: string
  /** Our time over that of a plain copy that moves as many bytes. */
  timesCopy: number
  /** For elementary functions. */
  nanosecondsPerElement?: number
}

export function measureProduct(sides: Contestants, row: ProductCase): ProductResult {
  const { name, batch, m, k, n, transposeA, transposeB } = row
  const a = tf.randomNormal([...batch, ...(transposeA ? [k, m] : [m, k])])
  const b = tf.randomNormal([...batch, ...(transposeB ? [n, k] : [k, n])])
  const timing = inTurns(() => tf.dispose(tf.matMul(a, b, transposeA, transposeB)), sides)
  tf.dispose([a, b])
  const batches = batch.reduce((product, length) => product * length, 1)
  const rate = (milliseconds: number) => (2e-6 * batches * m * k * n) / milliseconds
  const transposition = `${transposeA ? 'T' : 'N'}${transposeB ? 'T' : 'N'}`
  return {
    name,
    shape: `${[...batch, ''].join(' x ')}${m} x ${k} x ${n} ${transposition}`,
    ...timing,
    stockRate: rate(timing.stock),
    ourRate: rate(timing.ours),
  }
}

export function* measureMemoryBound(sides: Contestants, isChosen: Choice): Generator<MemoryResult> {
  for (const { name, bytes, elements, inputs: make, run } of memoryBound.filter(isChosen)) {
    const inputs = tf.tidy(() => make())
    const timing = inTurns(() => tf.dispose(run(...inputs)), sides)
    tf.dispose(inputs)
    yield {
      name,
      ...timing,
      timesCopy: timing.ours / copyTime(bytes),
      ...(elements ? { nanosecondsPerElement: (timing.ours * 1e6) / elements } : {}),
    }
  }
}

/** Milliseconds of a copy that reads and writes `bytes` in all, into a fresh tensor as a kernel does. */
function copyTime(bytes: number): number {
  const heap = wasmHeap()
  const length = Math.round(bytes / 8)
  const from = tf.ones([length])
  const copy = () => {
    const to = heap.output([length])
    heap.kernels(kernels).repeatFloats(to.pointer, heap.pointer(from), 1, length, 1)
    heap.discard(to)
  }
  const calls = warmUp(copy)
  const times = Array.from({ length: 9 }, () => timed(copy, calls))
  from.dispose()
  return median(times)
}

export function* measureProducts(sides: Contestants, isChosen: Choice): Generator<ProductResult> {
  for (const row of products.filter(isChosen)) yield measureProduct(sides, row)
}
