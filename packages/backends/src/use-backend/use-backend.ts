/** One call that loads a tfjs backend, makes it current and makes it able to train. */
import * as tf from '@tensorflow/tfjs-core'
import { resolveThreads, startShared, useThreads } from '../threads/use-threads'
import { registerTrainingKernels } from '../training-kernels/register'
import { type BackendName, backendNames } from './backend-name'
import { chooseBackend } from './choose-backend'
import { drivers } from './drivers'

export interface BackendOptions {
  /**
   * Threads that the wasm backend computes with; other backends ignore it. `'auto'` takes as many as there are cores, at most 4,
   * and one where memory cannot be shared. More than one must be chosen before the wasm backend starts. @default 1
   */
  threads?: number | 'auto'
}

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
 * @param options `threads` for wasm.
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
export async function useBackend(
  name: BackendName | 'auto' = 'auto',
  { threads }: BackendOptions = {},
): Promise<string> {
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
  const count = threads === undefined ? undefined : await resolveThreads(threads)
  const tfName = await drivers[chosen].load()
  const sharing = chosen === 'wasm' && count !== undefined && count > 1
  const started = sharing ? startShared() : tf.setBackend(tfName)
  if (!(await started)) throw new Error(`useBackend: the ${chosen} backend did not start.`)
  if (chosen === 'wasm' && count !== undefined) await useThreads(count)
  registerTrainingKernels()
  return tf.getBackend()
}
