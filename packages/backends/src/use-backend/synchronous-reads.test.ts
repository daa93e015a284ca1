import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, expectClose } from '@tfgraft/testing'
import { expect, it } from 'vitest'

describeBackends('synchronous reads', () => {
  it('give what asynchronous reads give, in every dtype, before and after them', async () => {
    const x = tf.tensor1d([1, -2.5, 3])
    const [y, n, b] = [tf.mul(x, 2), tf.cast(x, 'int32'), tf.greater(x, 0)]
    expect(Array.from(y.dataSync())).toEqual([2, -5, 6])
    expect(Array.from(n.dataSync())).toEqual([1, -2, 3])
    expect(Array.from(b.dataSync())).toEqual([1, 0, 1])
    const z = tf.add(y, 1)
    expect(Array.from(await z.data())).toEqual([3, -4, 7])
    const large = tf.fill([300_000], 2)
    expect(tf.sqrt(large).dataSync()[299_999]).toBeCloseTo(Math.SQRT2, 5)
    expect(tf.sum(large).dataSync()[0]).toBe(600_000)
  })

  it('work while asynchronous reads are under way, and leave other immediates in their order', async () => {
    const order: string[] = []
    const later = new Promise<void>((resolve) =>
      setImmediate(() => {
        order.push('immediate')
        resolve()
      }),
    )
    const x = tf.tensor1d([1, 2])
    const pending = tf.mul(x, 3).data()
    expectClose(tf.mul(x, 2), { shape: [2], data: [2, 4] })
    order.push('read')
    expect(Array.from(await pending)).toEqual([3, 6])
    await later
    expect(order).toEqual(['read', 'immediate'])
  })
})
