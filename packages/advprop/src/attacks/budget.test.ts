/** Property: whatever the images, the budget, the range and the target, no attack leaves budget or valid range. */
import * as tf from '@tensorflow/tfjs-core'
import { describeBackends } from '@tfgraft/testing'
import fc from 'fast-check'
import { it } from 'vitest'
import { attacks } from './cases'

const PER_RUN = 32 // images of one random case
const RUNS = 40 // so that 9 attacks see 11,520 images
const ROUNDING = 2e-6 // of float32 in the range of values below, relative to the width of the range

const cases = fc.record({
  seed: fc.integer({ min: 0, max: 1_000_000 }),
  epsilon: fc.oneof(fc.constant(0), fc.double({ min: 1e-4, max: 1, noNaN: true })),
  channels: fc.constantFrom(1, 3),
  min: fc.double({ min: -3, max: 0, noNaN: true }),
  width: fc.double({ min: 0.5, max: 4, noNaN: true }),
  scale: fc.constantFrom(0, 1e-3, 1, 1e3), // 0: a target without any gradient
  extremes: fc.boolean(), // images that touch the range's ends
})

describeBackends('attack budgets', () => {
  it.each(Object.entries(attacks))('%s', (_, { norm, run }) => {
    fc.assert(
      fc.property(cases, ({ seed, epsilon, channels, min, width, scale, extremes }) => {
        tf.tidy(() => {
          const shape = [PER_RUN, 3, 3, channels]
          const unit = tf.randomUniform(shape, extremes ? -0.5 : 0, extremes ? 1.5 : 1, 'float32', seed)
          const bounds = { min, max: min + width }
          const images = tf.clipByValue(
            tf.add(tf.mul(tf.clipByValue(unit, 0, 1), width), min),
            bounds.min,
            bounds.max,
          )
          const weights = tf.randomNormal([9 * channels, 5], 0, scale, 'float32', seed + 1) as tf.Tensor2D
          const target = (x: tf.Tensor) => tf.matMul(tf.reshape(x, [-1, 9 * channels]), weights)
          const labels = tf.cast(tf.randomUniform([PER_RUN], 0, 5, 'float32', seed + 2), 'int32')
          const adversarial = run(target, images, labels, { epsilon, bounds, seed })
          const [before, after] = [images.dataSync(), adversarial.dataSync()]
          const size = 9 * channels
          for (let n = 0; n < PER_RUN; n++) {
            let [largest, squares] = [0, 0]
            for (let i = n * size; i < (n + 1) * size; i++) {
              const value = after[i]!
              if (!(value >= Math.fround(bounds.min) && value <= Math.fround(bounds.max)))
                throw new Error(`${value} is outside [${bounds.min}, ${bounds.max}].`)
              const moved = Math.abs(value - before[i]!) / width
              largest = Math.max(largest, moved)
              squares += moved * moved
            }
            const distance = norm === 'linf' ? largest : Math.sqrt(squares)
            if (!(distance <= epsilon + ROUNDING * Math.max(1, epsilon)))
              throw new Error(`moved by ${distance}, beyond ${epsilon}.`)
          }
        })
      }),
      { numRuns: RUNS, seed: 20 },
    )
  })
})
