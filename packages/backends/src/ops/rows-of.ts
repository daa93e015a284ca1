import type * as tf from '@tensorflow/tfjs-core'

/** Rows of the last axis, and their length `n`. */
export function rowsOf(x: tf.Tensor): { rows: number; n: number } {
  const n = x.shape.at(-1)!
  return { n, rows: n === 0 ? 0 : x.size / n }
}
