import * as tf from '@tensorflow/tfjs-core'

/** What the SparseTopK kernel replaces: sort |x| of each channel by tf.topk, compare, multiply. NHWC. */
export const topKComposition = (x, k) =>
  tf.tidy(() => {
    const [n, h, w, c] = x.shape
    const planes = tf.transpose(tf.reshape(tf.abs(x), [n, h * w, c]), [0, 2, 1])
    const { values: largest } = tf.topk(planes, Math.max(1, Math.floor(k * h * w)))
    const threshold = tf.slice(largest, [0, 0, largest.shape[2] - 1], [-1, -1, 1])
    // Not a cast of `greaterEqual`: on WebGPU, tfjs cannot transpose what was a boolean.
    const mask = tf.transpose(tf.sub(1, tf.step(tf.sub(threshold, planes))), [0, 2, 1])
    return tf.mul(x, tf.reshape(mask, x.shape))
  })
