/** Plain JavaScript: everywhere, for small models and for comparison. */
import * as tf from '@tensorflow/tfjs-core'
import type { BackendDriver } from './backend-driver'

export const cpu: BackendDriver = {
  probe: async () => ({
    available: true,
    detail: 'plain JavaScript, some 200 times slower than wasm at training a LeNet',
  }),
  load: async () => {
    if (!tf.findBackendFactory('cpu')) await import('@tensorflow/tfjs-backend-cpu')
    return 'cpu'
  },
}
