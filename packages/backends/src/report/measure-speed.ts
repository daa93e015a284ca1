/** Two numbers that say what to expect of a backend: products per second and bytes per second. */
import * as tf from '@tensorflow/tfjs-core'

export interface Speed {
  /** 512 x 512 x 512 float32 product, 2 operations per multiply-add. */
  gigaflops: number
  /** `a + b` over 4 M float32: 8 bytes read and 4 written per element. */
  gigabytesPerSecond: number
}

/** The median time of one call in seconds, over as many calls as fit into `budget`, after a warm-up. */
async function medianSeconds(body: () => tf.Tensor, budget = 0.4): Promise<number> {
  const once = async () => {
    const start = performance.now()
    const result = tf.tidy(body)
    // One element, so that a GPU has finished and little is read back.
    const corner = tf.tidy(() => tf.slice(tf.reshape(result, [-1]), [0], [1]))
    await corner.data()
    const seconds = (performance.now() - start) / 1000
    tf.dispose([result, corner])
    return seconds
  }
  await once()
  const times: number[] = []
  const end = performance.now() + budget * 1000
  while (times.length < 3 || performance.now() < end) times.push(await once())
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!
}

/** Measures the current backend. tfjs-cpu is given a smaller product: it takes a second for the full one. */
export async function measureSpeed(): Promise<Speed> {
  const n = tf.getBackend() === 'cpu' ? 128 : 512
  const [a, b, x, y] = [tf.ones([n, n]), tf.ones([n, n]), tf.ones([4_000_000]), tf.ones([4_000_000])]
  const product = await medianSeconds(() => tf.matMul(a, b))
  const addition = await medianSeconds(() => tf.add(x, y))
  tf.dispose([a, b, x, y])
  return { gigaflops: (2 * n ** 3) / product / 1e9, gigabytesPerSecond: (12 * 4_000_000) / addition / 1e9 }
}
