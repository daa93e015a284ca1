/** tfjs's own kernels that ours have replaced: for what ours leave to them, and for tests. */
import type * as tf from '@tensorflow/tfjs-core'

const stockKernels = new Map<string, tf.KernelConfig | undefined>()

/** Remembers what was there (or that nothing was) before our first kernel of that name. */
export function rememberStock(
  { kernelName, backendName }: { kernelName: string; backendName: string },
  present: tf.KernelConfig | undefined,
): void {
  const key = `${backendName}/${kernelName}`
  if (!stockKernels.has(key)) stockKernels.set(key, present)
}

/** tfjs's kernel, if ours has replaced one. */
export function findStock(kernelName: string, backendName: string): tf.KernelConfig | undefined {
  return stockKernels.get(`${backendName}/${kernelName}`)
}
