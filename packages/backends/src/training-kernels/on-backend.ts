/** Test tool: the same computation on another backend, as plain numbers. */
import * as tf from '@tensorflow/tfjs-core'

/** Runs `body` on backend `name` and returns its tensors' shapes and values; restores the current backend. */
export function onBackend(name: string, body: () => tf.Tensor | tf.Tensor[]) {
  const before = tf.getBackend()
  tf.setBackend(name)
  try {
    return tf.tidy(() =>
      [body()].flat().map((t) => ({ dtype: t.dtype, shape: t.shape, data: Array.from(t.dataSync()) })),
    ) as never as {
      dtype: tf.DataType
      shape: number[]
      data: number[]
    }[]
  } finally {
    tf.setBackend(before)
  }
}
