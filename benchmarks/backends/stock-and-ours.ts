/** Both sets of wasm kernels in one process: tfjs's own and ours, exchanged between measurements. */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import { registerTrainingKernels, useBackend } from '@tfgraft/backends'
import { replaceLayersAndOptimizers } from '../../packages/backends/src/training-kernels/fusion'

interface Installation {
  kernels: tf.KernelConfig[]
  gradients: tf.GradConfig[]
  /** Whether layers and optimizers are ours. */
  replaced: boolean
}

/** Those that are ours for their speed. */
const replacedGradients = ['FusedBatchNorm', 'Erf']

const snapshot = (replaced: boolean): Installation => ({
  kernels: tf.getKernelsForBackend('wasm'),
  gradients: replacedGradients.map((name) => tf.getGradient(name)),
  replaced,
})

function install({ kernels, gradients, replaced }: Installation): void {
  for (const { kernelName } of tf.getKernelsForBackend('wasm')) tf.unregisterKernel(kernelName, 'wasm')
  for (const kernel of kernels) tf.registerKernel(kernel)
  for (const gradient of gradients) {
    tf.unregisterGradient(gradient.kernelName)
    tf.registerGradient(gradient)
  }
  replaceLayersAndOptimizers(replaced)
}

export interface Contestants {
  useStock(): void
  useOurs(): void
}

/**
 * Starts the wasm backend. Kernels that stock lacks are ours on both sides: without them it would throw in most gradients,
 * and there would be nothing to compare with.
 */
export async function contestants(): Promise<Contestants> {
  await tf.setBackend('wasm')
  await tf.ready()
  const stock = snapshot(false)
  registerTrainingKernels()
  await useBackend('wasm')
  const ours = snapshot(true)
  const names = new Set(stock.kernels.map(({ kernelName }) => kernelName))
  stock.kernels.push(...ours.kernels.filter(({ kernelName }) => !names.has(kernelName)))
  return { useStock: () => install(stock), useOurs: () => install(ours) }
}
