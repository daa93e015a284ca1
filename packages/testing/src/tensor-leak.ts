import * as tf from '@tensorflow/tfjs-core'

/** Runs `body` and throws when it leaves more or fewer tensors behind than `kept`. */
export async function expectNoTensorLeak<T>(body: () => T | Promise<T>, kept = 0): Promise<T> {
  const before = tf.memory().numTensors
  const result = await body()
  const left = tf.memory().numTensors - before
  if (left !== kept) throw new Error(`expectNoTensorLeak: ${left} tensors left behind, expected ${kept}.`)
  return result
}
