/** Blocks of matrices that lie in the last two axes of tensors. */
import * as tf from '@tensorflow/tfjs-core'

/** Rows and columns `[start, length]` of each matrix. */
export function blockOf(x: tf.Tensor, rows: [number, number], columns: [number, number]): tf.Tensor {
  const batch = x.shape.slice(0, -2)
  return tf.slice(x, [...batch.map(() => 0), rows[0], columns[0]], [...batch, rows[1], columns[1]])
}

export const transposed = (x: tf.Tensor): tf.Tensor => {
  const axes = x.shape.map((_, axis) => axis)
  return tf.transpose(x, [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!])
}

/** What lies on and below the diagonal, with the diagonal times `diagonal`; zeros above. */
export function lowerTriangle(x: tf.Tensor, diagonal = 1): tf.Tensor {
  const n = x.shape.at(-1)!
  const [rows, columns] = [tf.reshape(tf.range(0, n), [n, 1]), tf.range(0, n)]
  const below = tf.cast(tf.greater(rows, columns), 'float32')
  return tf.mul(x, tf.add(below, tf.mul(tf.eye(n), diagonal)))
}

/** Throws unless `x` holds square matrices. */
export function assertSquare(op: string, name: string, x: tf.Tensor): void {
  if (x.rank < 2 || x.shape.at(-1) !== x.shape.at(-2))
    throw new Error(`${op}: \`${name}\` must be [..., n, n]. Received ${name}=[${x.shape}].`)
}
