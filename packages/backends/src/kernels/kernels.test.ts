import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { kernelCases } from './cases'
import { expectSameAsCpu } from './same-as-cpu'

describeBackends('a kernel equals tfjs-cpu', () => {
  it.each(kernelCases)('$title', (row) => expectNoTensorLeak(() => expectSameAsCpu(row)))

  it('the sum of a million floats is right to the last digits', () => {
    tf.tidy(() => {
      const x = tf.fill([1_000_000], 0.1)
      expectClose(tf.sum(x), { shape: [], data: [1e6 * Math.fround(0.1)] }, { rtol: 1e-6, atol: 0 })
      expectClose(
        tf.sum(tf.reshape(x, [500_000, 2]), 0),
        { shape: [2], data: [50000.00074, 50000.00074] },
        { rtol: 1e-6 },
      )
      expectClose(tf.mean(x), { shape: [], data: [Math.fround(0.1)] }, { rtol: 1e-6, atol: 0 })
    })
  })

  it('an index outside the rows is named, and leaves nothing behind', () =>
    expectNoTensorLeak(() => {
      const [x, indices] = [tf.ones([2, 3]), tf.tensor1d([0, 2], 'int32')]
      expect(() => tf.gather(x, indices)).toThrow('GatherV2: the index value 2 is not in [0, 1]')
      tf.dispose([x, indices])
    }))

  it('the mean of nothing is NaN', () => {
    const mean = tf.mean(tf.zeros([0, 2]), 0)
    expect(Array.from(mean.dataSync())).toEqual([Number.NaN, Number.NaN])
  })

  it('a clone shares data until one of both is disposed, and survives the other', () => {
    const x = tf.tensor1d([1, 2, 3])
    const y = x.clone()
    x.dispose()
    expectClose(y, { shape: [3], data: [1, 2, 3] })
    y.dispose()
  })
}, ['wasm'])
