/** tfjs's own kernels that ours have replaced: for what ours leave to them, and for tests. */
import type * as tf from '@tensorflow/tfjs-core'

const stockKernels = new Map<string, tf.KernelConfig>()

/** Remembers a kernel before it is replaced, unless it is one of ours. */
export function rememberStock(kernel: tf.KernelConfig): void {
  const key = `${kernel.backendName}/${kernel.kernelName}`
  if (!stockKernels.has(key)) stockKernels.set(key, kernel)
}

/** tfjs's kernel, if ours has replaced one. */
export function findStock(kernelName: string, backendName: string): tf.KernelConfig | undefined {
  return stockKernels.get(`${backendName}/${kernelName}`)
}
