import * as tf from '@tensorflow/tfjs-core'
import { layers } from '@tensorflow/tfjs-layers'
import { describeBackends } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { withStock } from './register'

/** Which of the ops that tfjs's layers and optimizers are fused to run in `body`. */
async function fusedOps(body: () => void): Promise<string[]> {
  const { kernelNames } = await tf.profile(() => {
    tf.tidy(body)
    return []
  })
  return kernelNames.filter((name) => /lstm|layerNorm|batchNormTraining|adam|momentum|sgd/i.test(name))
}

const fused: Record<string, () => void> = {
  'layers.lstm': () =>
    layers.lstm({ units: 2, recurrentInitializer: 'zeros' }).apply(tf.ones([1, 3, 2]), { training: true }),
  'layers.layerNormalization': () => layers.layerNormalization().apply(tf.ones([2, 3])),
  'layers.batchNormalization': () => layers.batchNormalization().apply(tf.ones([2, 3]), { training: true }),
  ...Object.fromEntries(
    Object.entries({
      'train.sgd': () => tf.train.sgd(0.1),
      'train.momentum': () => tf.train.momentum(0.1, 0.9),
      'train.adam': () => tf.train.adam(0.1),
    }).map(([name, make]) => [
      name,
      () => {
        const x = tf.variable(tf.ones([3]))
        const optimizer = make()
        optimizer.minimize(() => tf.sum(tf.square(x)))
        optimizer.dispose()
        x.dispose()
      },
    ]),
  ),
}

describeBackends('withStock', (backend) => {
  it.each(Object.keys(fused))('runs %s as tfjs made it, and fused again afterwards', async (name) => {
    const body = fused[name]!
    const isWasm = backend === 'wasm'
    expect((await fusedOps(body)).length > 0).toBe(isWasm)
    expect(await fusedOps(() => withStock(body))).toEqual([])
    expect(() =>
      withStock(() => {
        throw new Error('of the body')
      }),
    ).toThrow('of the body')
    expect((await fusedOps(body)).length > 0).toBe(isWasm)
  })

  it('leaves layers and optimizers as they are when kernels are named', async () => {
    const body = fused['layers.layerNormalization']!
    expect(await fusedOps(() => withStock(body, ['Einsum']))).toEqual(await fusedOps(body))
  })
})
