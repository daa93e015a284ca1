import * as tf from '@tensorflow/tfjs-core'
import { expectClose } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { createRandom, withSeededMathRandom } from './random'

const draws = (seed: string | number, n = 5) => {
  const random = createRandom(seed)
  return Array.from({ length: n }, () => random.uniform())
}

it('the same seed gives the same stream, another seed another', () => {
  expect(draws(1)).toEqual(draws(1))
  expect(draws(1)).not.toEqual(draws(2))
})

it('a fork depends on the seed and the key, not on what was drawn', () => {
  const random = createRandom(7)
  const before = random.fork('a').uniform()
  random.uniform()
  expect(random.fork('a').uniform()).toBe(before)
  expect(random.fork('b').uniform()).not.toBe(before)
  expect(random.fork('a').fork('b').uniform()).not.toBe(random.fork('b').fork('a').uniform())
})

it('draws have the moments and ranges of their distributions', () => {
  const random = createRandom('moments')
  const n = 20_000
  const normals = Array.from({ length: n }, () => random.normal(2, 3))
  const mean = normals.reduce((a, b) => a + b) / n
  const variance = normals.reduce((a, b) => a + (b - mean) ** 2, 0) / n
  expectClose([mean, Math.sqrt(variance)], [2, 3], { rtol: 0.03 })
  const counts = new Array(5).fill(0)
  for (let i = 0; i < n; i++) counts[random.integer(-2, 3) + 2]++
  expectClose(counts, new Array(5).fill(n / 5), { rtol: 0.05 })
  expect(random.uniform(5, 6)).toSatisfy((x: number) => x >= 5 && x < 6)
})

it('a shuffle is a permutation, leaves its argument alone, and is uniform over positions', () => {
  const random = createRandom(3)
  const values = Int32Array.from([0, 1, 2, 3])
  const first = new Array(4).fill(0)
  for (let i = 0; i < 4000; i++) {
    const shuffled = random.shuffle(values)
    expect([...shuffled].sort()).toEqual([0, 1, 2, 3])
    first[shuffled[0]!]++
  }
  expect([...values]).toEqual([0, 1, 2, 3])
  expectClose(first, [1000, 1000, 1000, 1000], { rtol: 0.12 })
})

it('bad arguments name the value', () => {
  expect(() => createRandom(Number.NaN)).toThrow('Received seed=NaN')
  expect(() => createRandom(0).integer(2, 2)).toThrow('Received low=2, high=2')
})

it('seeds the random ops of tfjs for the length of a body and restores Math.random, also after an error', async () => {
  await tf.setBackend('cpu')
  const original = Math.random
  const draw = () => withSeededMathRandom(5, () => tf.randomNormal([4]).dataSync())
  expect(draw()).toEqual(draw())
  expect(() =>
    withSeededMathRandom(5, () => {
      throw new Error('inside')
    }),
  ).toThrow('inside')
  expect(Math.random).toBe(original)
})
