/** WebGL, in browsers without WebGPU. */
import * as tf from '@tensorflow/tfjs-core'
import type { BackendDriver } from './backend-driver'

const hasWebgl = () =>
  typeof OffscreenCanvas !== 'undefined'
    ? Boolean(new OffscreenCanvas(1, 1).getContext('webgl2'))
    : typeof document !== 'undefined' && Boolean(document.createElement('canvas').getContext('webgl2'))

export const webgl: BackendDriver = {
  probe: async () =>
    hasWebgl()
      ? { available: true, detail: 'WebGL 2' }
      : { available: false, detail: 'no WebGL 2 context here (it exists in browsers only)' },
  load: async () => {
    if (!hasWebgl())
      throw new Error('useBackend: webgl needs a browser with WebGL 2. Received a runtime without it.')
    if (!tf.findBackendFactory('webgl')) await import('@tensorflow/tfjs-backend-webgl')
    return 'webgl'
  },
}
