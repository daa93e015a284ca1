import * as tf from '@tensorflow/tfjs-core'
import { describeBackends } from '@tfgraft/testing'
import { expect, it } from 'vitest'

/** The error function in double precision: its series, and 1 where float32 says so. */
function erf(x: number): number {
  if (Math.abs(x) > 4) return Math.sign(x)
  let term = x
  let sum = x
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}

/** Largest error over a grid, in units of the last place of float32. */
function worstError(f: (x: tf.Tensor) => tf.Tensor, exact: (x: number) => number, limit: number): number {
  return tf.tidy(() => {
    const x = tf.linspace(-limit, limit, 20_001)
    const [xs, ys] = [x.dataSync(), f(x).dataSync()]
    let worst = 0
    xs.forEach((at, i) => {
      const y = exact(at)
      const unit = 2 ** (Math.floor(Math.log2(Math.max(Math.abs(y), 2 ** -126))) - 23)
      worst = Math.max(worst, Math.abs(ys[i]! - y) / unit)
    })
    return worst
  })
}

describeBackends('elementary functions', () => {
  it.each([
    ['exp', tf.exp<tf.Tensor>, Math.exp, 87, 2],
    ['tanh', tf.tanh<tf.Tensor>, Math.tanh, 12, 5],
    ['erf', tf.erf<tf.Tensor>, erf, 5, 8],
  ] as const)('%s is right to a few units in the last place', (_, f, exact, limit, units) => {
    expect(worstError((x) => f(x), exact, limit)).toBeLessThan(units)
  })

  it('tanh and the error function never leave [-1, 1]', () => {
    tf.tidy(() => {
      const x = tf.linspace(-20, 20, 4001)
      for (const y of [tf.tanh(x), tf.erf(x)]) {
        expect(tf.max(y).dataSync()[0]).toBe(1)
        expect(tf.min(y).dataSync()[0]).toBe(-1)
      }
    })
  })
}, ['wasm'])
