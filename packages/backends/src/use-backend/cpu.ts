/** Plain JavaScript: everywhere, for small models and for comparison. */
import * as tf from '@tensorflow/tfjs-core'
import type { BackendDriver } from './backend-driver'

export const cpu: BackendDriver = {
  probe: async () => ({ available: true, detail: 'plain JavaScript, 30 to 2,000 times slower than wasm' }),
  load: async () => {
    if (!tf.findBackendFactory('cpu')) await import('@tensorflow/tfjs-backend-cpu')
    return 'cpu'
  },
}
