/**
 * libtensorflow through `@tensorflow/tfjs-node` ('node') or `@tensorflow/tfjs-node-gpu` ('cuda'), when the user has
 * installed it. Both call `util.isNullOrUndefined`, which Node 23 removed, inside every op; the mend upstream was never released.
 */
import * as tf from '@tensorflow/tfjs-core'
import { type BackendDriver, isNode, messageOf } from './backend-driver'
import { importOptional, isMissing } from './optional-import'

type ImportPackage = (name: string) => Promise<unknown>

/** Gives Node's `util` back the predicate that tfjs-node calls. */
export function restoreUtilPredicate(util: { isNullOrUndefined?: (value: unknown) => boolean }): void {
  util.isNullOrUndefined ??= (value) => value === null || value === undefined
}

const whatToDo: Record<string, string> = {
  '@tensorflow/tfjs-node':
    'Install it with `npm install @tensorflow/tfjs-node` (it downloads libtensorflow), or use wasm, which needs nothing.',
  '@tensorflow/tfjs-node-gpu':
    'Install it with `npm install @tensorflow/tfjs-node-gpu` on Linux with CUDA 11.2 and cuDNN 8.1, or use webgpu, which needs only a driver.',
}

/** Registers tfjs-node's backend under its name, 'tensorflow'. */
export async function loadTensorflow(
  name: 'node' | 'cuda',
  packageName: string,
  importPackage: ImportPackage = importOptional,
): Promise<string> {
  const advice = whatToDo[packageName]
  if (!isNode) throw new Error(`useBackend: ${name} runs in Node only. Received a browser.`)
  restoreUtilPredicate(process.getBuiltinModule('node:util'))
  try {
    await importPackage(packageName)
  } catch (error) {
    throw new Error(
      isMissing(error, packageName)
        ? `useBackend: ${name} needs the optional package \`${packageName}\`. ${advice}`
        : `useBackend: \`${packageName}\` did not load: ${messageOf(error)}. ${advice}`,
    )
  }
  const backend = tf.findBackend('tensorflow') as unknown as { isUsingGpuDevice?: boolean } | null
  if (name === 'cuda' && !backend?.isUsingGpuDevice)
    throw new Error(`useBackend: \`${packageName}\` found no CUDA device and would run on the CPU. ${advice}`)
  return 'tensorflow'
}

const driver = (name: 'node' | 'cuda', packageName: string, detail: string): BackendDriver => ({
  load: () => loadTensorflow(name, packageName),
  probe: async () => {
    try {
      await loadTensorflow(name, packageName)
      return { available: true, detail }
    } catch (error) {
      // Without the advice, which belongs to someone who asked for this backend by name.
      const [reason] = messageOf(error)
        .replace(/^useBackend: (\w+ (?=needs|runs))?/, '')
        .split('. Install')
      return { available: false, detail: reason! }
    }
  },
})

export const node = driver('node', '@tensorflow/tfjs-node', 'libtensorflow on the CPU')
export const cuda = driver('cuda', '@tensorflow/tfjs-node-gpu', 'libtensorflow with CUDA')
