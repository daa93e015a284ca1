/** Both sets of wasm kernels in one process: tfjs's own and ours, exchanged between measurements. */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import { RNN } from '@tensorflow/tfjs-layers'
import { registerTrainingKernels, useBackend } from '@tfgraft/backends'

interface Installation {
  kernels: tf.KernelConfig[]
  batchNormGradient: tf.GradConfig
  /** Object, name and value of each method that is replaced. */
  methods: [object, string, unknown][]
}

const accelerated: [object, string][] = [
  ...[tf.AdamOptimizer, tf.MomentumOptimizer, tf.SGDOptimizer].map(({ prototype }): [object, string] => [
    prototype,
    'applyGradients',
  ]),
  [RNN.prototype, 'call'],
  ...['BatchNormalization', 'LayerNormalization'].map((name): [object, string] => [
    tf.serialization.SerializationMap.getMap().classNameMap[name]![0].prototype,
    'call',
  ]),
]

const snapshot = (): Installation => ({
  kernels: tf.getKernelsForBackend('wasm'),
  batchNormGradient: tf.getGradient('FusedBatchNorm'),
  methods: accelerated.map(([prototype, name]) => [prototype, name, Reflect.get(prototype, name)]),
})

function install({ kernels, batchNormGradient, methods }: Installation): void {
  for (const { kernelName } of tf.getKernelsForBackend('wasm')) tf.unregisterKernel(kernelName, 'wasm')
  for (const kernel of kernels) tf.registerKernel(kernel)
  tf.unregisterGradient('FusedBatchNorm')
  tf.registerGradient(batchNormGradient)
  for (const [prototype, name, method] of methods) Object.assign(prototype, { [name]: method })
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
  const stock = snapshot()
  registerTrainingKernels()
  await useBackend('wasm')
  const ours = snapshot()
  const names = new Set(stock.kernels.map(({ kernelName }) => kernelName))
  stock.kernels.push(...ours.kernels.filter(({ kernelName }) => !names.has(kernelName)))
  return { useStock: () => install(stock), useOurs: () => install(ours) }
}
