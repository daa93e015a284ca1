/** What this machine has: every backend, what it lacks for training, how fast it is, and which one 'auto' takes. */
import * as tf from '@tensorflow/tfjs-core'
import { trainingKernels } from '../training-kernels/kernel-list'
import type { BackendName } from '../use-backend/backend-name'
import { type Choice, chooseAmong, findCandidates } from '../use-backend/choose-backend'
import { useBackend } from '../use-backend/use-backend'
import { measureSpeed, type Speed } from './measure-speed'

export interface BackendStatus {
  name: BackendName
  available: boolean
  /** What it runs on, or why it cannot. */
  detail: string
  /** Kernels of ours that it runs instead of, or beside, its own: by reason. */
  kernels: Record<'missing' | 'wrong' | 'slow', number>
  /** Only when asked for, and available. */
  speed?: Speed
}

export interface BackendReport {
  /** Fastest first. */
  backends: BackendStatus[]
  /** tfjs's name of the current backend. */
  current: string
  /** What `useBackend('auto')` would take. */
  auto: Choice
}

const kernelCounts = (name: string): BackendStatus['kernels'] => {
  const counts = { missing: 0, wrong: 0, slow: 0 }
  for (const kernel of trainingKernels) if (kernel.backendName === name) counts[kernel.because]++
  return counts
}

/**
 * Looks at every backend, and measures those that are here when asked to. The current backend stays current.
 *
 * @param options.measure time a 512 x 512 x 512 product and a 4 M element addition on each; about a second per backend. @default false
 *
 * @example
 * ```ts
 * import { backendReport, useBackend } from '@tfgraft/backends'
 *
 * await useBackend('wasm')
 * const { auto, backends } = await backendReport()
 * console.log(auto.why, backends.filter(({ available }) => available).map(({ name }) => name))
 * ```
 */
export async function backendReport({ measure = false } = {}): Promise<BackendReport> {
  const current = tf.getBackend()
  const candidates = await findCandidates()
  const backends: BackendStatus[] = []
  for (const { name, available, detail } of candidates) {
    const status: BackendStatus = { name, available, detail, kernels: kernelCounts(name) }
    if (measure && available) {
      await useBackend(name)
      status.speed = await measureSpeed()
    }
    backends.push(status)
  }
  // tf.getBackend() names a backend that may never have been started: then there is nothing to go back to.
  if (measure && tf.findBackend(current)) await tf.setBackend(current)
  return { backends, current, auto: chooseAmong(candidates) }
}
