/** WebAssembly with SIMD: the embedded default, in Node and browsers. */
import * as tf from '@tensorflow/tfjs-core'
import { kernels } from '../generated/kernels'
import { hasSimd, requireSimd } from '../heap/instantiate'
import type { BackendDriver } from './backend-driver'

export const wasm: BackendDriver = {
  probe: async () =>
    hasSimd(kernels)
      ? { available: true, detail: 'WebAssembly, with the kernels of @tfgraft/backends' }
      : { available: false, detail: 'this runtime has no WebAssembly SIMD' },
  load: async () => {
    requireSimd(kernels)
    if (!tf.findBackendFactory('wasm')) await import('@tensorflow/tfjs-backend-wasm')
    return 'wasm'
  },
}
