/**
 * Whether the layers and optimizers of tfjs that we replace run as ours, which they do unless a test or a measurement wants
 * them as they came.
 */
import * as tf from '@tensorflow/tfjs-core'

let wanted = true

/** Of replacements that serve every backend. */
export const isReplaced = (): boolean => wanted

/** Of fused ops, which are for wasm. */
export const isFused = (): boolean => wanted && tf.getBackend() === 'wasm'

/** Chooses, until the next call. */
export function replaceLayersAndOptimizers(choice: boolean): void {
  wanted = choice
}

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
