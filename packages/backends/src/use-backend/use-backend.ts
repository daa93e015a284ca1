/**
 * One call that loads a tfjs backend, makes it current and makes it able to train.
 */
import * as tf from '@tensorflow/tfjs-core'
import { registerTrainingKernels } from '../training-kernels/register'
import { type BackendName, backendNames } from './backend-name'

/** Imports a backend's package and returns the name that tfjs knows the backend by. */
const loaders: Record<BackendName, () => Promise<string>> = {
  cuda: () => Promise.reject(new Error('not available')),
  node: () => Promise.reject(new Error('not available')),
  webgpu: () => Promise.reject(new Error('not available')),
  wasm: async () => {
    await import('@tensorflow/tfjs-backend-wasm')
    return 'wasm'
  },
  webgl: () => Promise.reject(new Error('not available')),
  cpu: async () => {
    await import('@tensorflow/tfjs-backend-cpu')
    return 'cpu'
  },
}

export async function useBackend(name: BackendName | 'auto' = 'auto'): Promise<string> {
  const chosen = name === 'auto' ? 'wasm' : name
  if (!backendNames.includes(chosen))
    throw new Error(
      `useBackend: \`name\` must be one of auto, ${backendNames.join(', ')}. Received name=${JSON.stringify(name)}.`,
    )
  const tfName = await loaders[chosen]()
  if (!(await tf.setBackend(tfName))) throw new Error(`useBackend: the ${chosen} backend did not start.`)
  registerTrainingKernels()
  return tf.getBackend()
}
