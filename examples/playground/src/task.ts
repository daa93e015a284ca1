/** Two interleaved spirals: the classic task that a small network finds hard. */
import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '@tfgraft/core'

export interface Task {
  /** Points in [-1, 1]^2, flat: x0, y0, x1, y1, ... */
  points: Float32Array
  /** Class of each point, 0 or 1. */
  classes: Uint8Array
  xs: tf.Tensor2D // [n, 2]
  ys: tf.Tensor2D // [n, 2], one-hot
}

export function twoSpirals(count: number, noise: number, seed: number): Task {
  const random = createRandom(seed)
  const points = new Float32Array(2 * count)
  const classes = new Uint8Array(count)
  for (let i = 0; i < count; i++) {
    const side = i % 2
    const along = Math.sqrt((i + 1) / count)
    const angle = 2.5 * Math.PI * along + side * Math.PI
    points[2 * i] = 0.9 * along * Math.cos(angle) + noise * random.normal()
    points[2 * i + 1] = 0.9 * along * Math.sin(angle) + noise * random.normal()
    classes[i] = side
  }
  return {
    points,
    classes,
    xs: tf.tensor2d(points, [count, 2]),
    ys: tf.cast(tf.oneHot(tf.tensor1d(classes, 'int32'), 2), 'float32') as tf.Tensor2D,
  }
}
