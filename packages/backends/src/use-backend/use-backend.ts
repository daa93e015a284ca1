/** One call that loads a tfjs backend, makes it current and makes it able to train. */
import * as tf from '@tensorflow/tfjs-core'
import { registerTrainingKernels } from '../training-kernels/register'
import { type BackendName, backendNames } from './backend-name'
import { chooseBackend } from './choose-backend'
import { drivers } from './drivers'

/**
 * Loads a backend, makes it current, and installs the kernels and gradients that it lacks or gets wrong.
 *
 * | name | runs on | needs |
 * |---|---|---|
 * | `'cuda'` | NVIDIA GPUs, Node | `@tensorflow/tfjs-node-gpu` |
 * | `'node'` | libtensorflow, Node | `@tensorflow/tfjs-node` |
 * | `'webgpu'` | any GPU, browsers and Node | in Node the package `webgpu` |
 * | `'wasm'` | any CPU, browsers and Node | WebAssembly SIMD |
 * | `'webgl'` | GPUs in browsers | nothing |
 * | `'cpu'` | everywhere, slowly | nothing |
 *
 * @param name `'auto'` takes the first of this list that is here and can train, and says on the console which and why; a
 *   software WebGPU adapter is passed by. @default 'auto'
 * @returns the name by which tfjs knows the backend: the same, except `'tensorflow'` for `'node'` and `'cuda'`.
 * @throws when the name is unknown (the message has the choices) or the backend is not here (the message says what to do).
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { useBackend } from '@tfgraft/backends'
 *
 * await useBackend('wasm')
 * tf.matMul(tf.ones([2, 3]), tf.ones([3, 2])).print()
 * ```
 */
export async function useBackend(name: BackendName | 'auto' = 'auto'): Promise<string> {
  if (name !== 'auto' && !backendNames.includes(name))
    throw new Error(
      `useBackend: \`name\` must be one of auto, ${backendNames.join(', ')}. Received name=${JSON.stringify(name)}.`,
    )
  let chosen = name
  if (chosen === 'auto') {
    const choice = await chooseBackend()
    console.info(`@tfgraft/backends: ${choice.why}`)
    chosen = choice.name
  }
  const tfName = await drivers[chosen].load()
  if (!(await tf.setBackend(tfName))) throw new Error(`useBackend: the ${chosen} backend did not start.`)
  registerTrainingKernels()
  return tf.getBackend()
}
