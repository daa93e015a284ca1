import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose, expectGradients, expectNoTensorLeak } from '@tfgraft/testing'
import { describe, expect, it } from 'vitest'
import { SavableRandom } from './random'
import { recurrentNetwork } from './recurrent'

const [STEPS, SEQUENCES, FEATURES, UNITS] = [5, 3, 4, 6]
const make = (cell: 'lstm' | 'gru', seed = 1) =>
  recurrentNetwork({ cell, units: UNITS, sizes: [FEATURES], outputs: 2, random: new SavableRandom(seed) })
const randomRows = (rows: number, columns: number, seed: number) => {
  const random = new SavableRandom(seed)
  return tf.tensor2d(
    Float32Array.from({ length: rows * columns }, () => random.normal()),
    [rows, columns],
  )
}
const ones = () => tf.ones([STEPS * SEQUENCES, 1]) as tf.Tensor2D
const cells = ['lstm', 'gru'] as const

describeBackends('recurrentNetwork', () => {
  it.each(cells)('%s: goes along a sequence as the cell of tfjs-layers with the same weights', (cell) => {
    tf.tidy(() => {
      const network = make(cell)
      const [kernel, bias, recurrent, headKernel, headBias] = network.variables as unknown as tf.Tensor[]
      const args = {
        units: UNITS,
        recurrentActivation: 'sigmoid',
        recurrentInitializer: 'glorotUniform', // replaced below: the default needs chained ops
        returnSequences: true,
      } as const
      const layer = cell === 'lstm' ? layers.layers.lstm(args) : layers.layers.gru(args)
      const x = randomRows(STEPS * SEQUENCES, FEATURES, 2)
      // [steps, sequences, features] -> [sequences, steps, features]
      const batchMajor = tf.transpose(tf.reshape(x, [STEPS, SEQUENCES, FEATURES]), [1, 0, 2])
      layer.apply(batchMajor)
      layer.setWeights([kernel!, recurrent!, bias!])
      const hidden = tf.transpose(layer.apply(batchMajor) as tf.Tensor3D, [1, 0, 2])
      const flat = tf.reshape(hidden, [STEPS * SEQUENCES, UNITS]) as tf.Tensor2D
      const expected = tf.add(tf.matMul(flat, headKernel as tf.Tensor2D), headBias!)
      const { outputs } = network.unroll(x, tf.zeros([SEQUENCES, network.memorySize]), ones())
      expectClose(outputs, expected, { rtol: 1e-4, atol: 1e-5 })
      layer.dispose()
      network.dispose()
    })
  })

  it.each(cells)('%s: one sequence in two parts, its memory handed on, is the same as at once', (cell) => {
    tf.tidy(() => {
      const network = make(cell)
      const x = randomRows(STEPS * SEQUENCES, FEATURES, 3)
      const whole = network.unroll(x, tf.zeros([SEQUENCES, network.memorySize]), ones())
      const [a, b] = tf.split(x, [2 * SEQUENCES, 3 * SEQUENCES])
      const [keepA, keepB] = tf.split(ones(), [2 * SEQUENCES, 3 * SEQUENCES])
      const first = network.unroll(
        a as tf.Tensor2D,
        tf.zeros([SEQUENCES, network.memorySize]),
        keepA as tf.Tensor2D,
      )
      const second = network.unroll(b as tf.Tensor2D, first.memory, keepB as tf.Tensor2D)
      expectClose(tf.concat([first.outputs, second.outputs]), whole.outputs)
      expectClose(second.memory, whole.memory)
      network.dispose()
    })
  })

  it.each(cells)('%s: nothing before the beginning of an episode matters after it', (cell) => {
    tf.tidy(() => {
      const network = make(cell)
      // Sequence 1 begins an episode at step 2.
      const keep = Float32Array.from({ length: STEPS * SEQUENCES }, (_, row) =>
        Number(row !== 2 * SEQUENCES + 1),
      )
      const run = (seed: number) => {
        const after = randomRows(3 * SEQUENCES, FEATURES, 7)
        const x = tf.concat([randomRows(2 * SEQUENCES, FEATURES, seed), after]) as tf.Tensor2D
        const memory = randomRows(SEQUENCES, network.memorySize, seed)
        return network.unroll(x, memory, tf.tensor2d(keep, [STEPS * SEQUENCES, 1])).outputs.arraySync()
      }
      const [a, b] = [run(8), run(9)]
      for (let t = 2; t < STEPS; t++) {
        expectClose(a[t * SEQUENCES + 1]!, b[t * SEQUENCES + 1]!)
        expect(a[t * SEQUENCES]).not.toEqual(b[t * SEQUENCES])
      }
      network.dispose()
    })
  })

  it.each(cells)('%s: gradients reach through time, erased memories included', (cell) => {
    tf.tidy(() => {
      const network = make(cell)
      const keep = tf.tensor2d([1, 1, 0, 1, 1, 1], [6, 1])
      expectGradients(
        (x: tf.Tensor, memory: tf.Tensor) =>
          network.unroll(x as tf.Tensor2D, memory as tf.Tensor2D, keep).outputs,
        [randomRows(6, FEATURES, 4), randomRows(2, network.memorySize, 5)],
      )
      network.dispose()
    })
  })

  it.each(cells)('%s: leaves no tensor behind', async (cell) => {
    await expectNoTensorLeak(() => make(cell).dispose())
  })
})

describe('recurrentNetwork', () => {
  it('forget gates of an lstm start open', () => {
    const network = make('lstm')
    expectClose(network.variables[1]!, [...Array(6).fill(0), ...Array(6).fill(1), ...Array(12).fill(0)])
    network.dispose()
  })
})
