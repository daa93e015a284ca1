/** Whether tfjs's own layers and optimizers run as our fused ops: on wasm, and not while a test or a measurement wants stock. */
import * as tf from '@tensorflow/tfjs-core'

let wanted = true

export const isFused = (): boolean => wanted && tf.getBackend() === 'wasm'

/** Runs `body` with tfjs's own layers and optimizers as they came. */
export function withoutFusion<T>(body: () => T): T {
  const before = wanted
  wanted = false
  try {
    return body()
  } finally {
    wanted = before
  }
}
