import * as tf from '@tensorflow/tfjs-core'

export type BackendName = 'cuda' | 'node' | 'webgpu' | 'wasm' | 'webgl' | 'cpu'

/** Makes a backend the current one and able to train. */
export async function useBackend(name: BackendName | 'auto' = 'auto'): Promise<string> {
  const chosen = name === 'auto' ? 'wasm' : name
  if (chosen === 'wasm') await import('@tensorflow/tfjs-backend-wasm')
  await tf.setBackend(chosen)
  await tf.ready()
  return tf.getBackend()
}
