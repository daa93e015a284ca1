/** WebAssembly with SIMD: the embedded default, in Node and browsers. */
import * as tf from '@tensorflow/tfjs-core'
import type { BackendDriver } from './backend-driver'

export const wasm: BackendDriver = {
  probe: async () =>
    typeof WebAssembly === 'object'
      ? { available: true, detail: 'WebAssembly, with the kernels of @tfgraft/backends' }
      : { available: false, detail: 'this runtime has no WebAssembly' },
  load: async () => {
    if (!tf.findBackendFactory('wasm')) await import('@tensorflow/tfjs-backend-wasm')
    return 'wasm'
  },
}
