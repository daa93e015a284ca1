/** How many threads the wasm backend computes with. */
import * as tf from '@tensorflow/tfjs-core'
import { isShared } from '../heap/instantiate'
import { heapState } from '../heap/wasm-heap'
import { isNode } from '../use-backend/backend-driver'
import { importOptional } from '../use-backend/optional-import'
import { withSharedMemory } from './share-memory'
import { startThreadPool } from './thread-pool'

/** With more, the calling thread's own work dominates, and hyperthreads share arithmetic units. */
const mostByDefault = 4

/** Why no memory can be shared here; undefined if it can. */
export function whyNotShared(): string | undefined {
  if (typeof SharedArrayBuffer === 'undefined' || globalThis.crossOriginIsolated === false)
    return (
      'the page is not cross-origin isolated: it must be served with the headers Cross-Origin-Opener-Policy: same-origin ' +
      'and Cross-Origin-Embedder-Policy: require-corp'
    )
  if (!isNode && typeof Worker === 'undefined') return 'there are no workers here'
  return undefined
}

async function coreCount(): Promise<number> {
  if (!isNode) return navigator.hardwareConcurrency
  const { availableParallelism } = await importOptional<typeof import('node:os')>('node:os')
  return availableParallelism()
}

/**
 * How many threads `requested` means here.
 *
 * @throws when a number is not a whole one from 1 to 64, or more than one thread is impossible here.
 */
export async function resolveThreads(requested: number | 'auto'): Promise<number> {
  const obstacle = whyNotShared()
  if (requested === 'auto') return obstacle ? 1 : Math.min(await coreCount(), mostByDefault)
  if (!Number.isInteger(requested) || requested < 1 || requested > 64)
    throw new Error(
      `useBackend: \`threads\` must be 'auto' or a whole number from 1 to 64. Received threads=${String(requested)}.`,
    )
  if (requested > 1 && obstacle)
    throw new Error(
      `useBackend: \`threads\` must be 1 where memory cannot be shared; ${obstacle}. Received threads=${requested}.`,
    )
  return requested
}

/** Starts the wasm backend on a memory that workers can share. */
export async function startShared(): Promise<boolean> {
  // In an isolated page tfjs would take its threaded build, whose pool competes with ours.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
  return withSharedMemory(() => tf.setBackend('wasm'))
}

/** Makes the current wasm backend compute with `threads` threads. */
export async function useThreads(threads: number): Promise<void> {
  const backend = tf.backend()
  const state = heapState(backend)
  if (state.heap.threads === threads) return
  state.pool?.dispose()
  state.pool = undefined
  if (threads === 1) return
  if (!isShared(state.memory))
    throw new Error(
      'useBackend: `threads` must be chosen before the wasm backend starts, because its memory is shared or not from the ' +
        `start. Received threads=${threads} after that.`,
    )
  state.pool = await startThreadPool(state.memory, threads)
  disposeTogether(backend, state)
}

const disposed = new WeakSet<object>()

/** Lets a backend take its threads along when it is disposed. */
function disposeTogether(backend: tf.KernelBackend, state: ReturnType<typeof heapState>): void {
  if (disposed.has(backend)) return
  disposed.add(backend)
  const dispose = backend.dispose
  backend.dispose = function (this: typeof backend) {
    state.pool?.dispose()
    dispose.call(this)
  }
}
