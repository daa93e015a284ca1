import { expect, it } from 'vitest'
import { epochSeed, shuffledIndices } from './seeded-shuffle'

it('a seed names one order, for ever', () => {
  expect([...shuffledIndices(10, 1)]).toEqual([5, 6, 7, 4, 8, 2, 0, 3, 1, 9])
})

it('every index occurs once', () => {
  for (const count of [0, 1, 2, 1000])
    expect([...shuffledIndices(count, 3)].sort((a, b) => a - b)).toEqual([...Array(count).keys()])
})

it('every place is reached about equally often', () => {
  const counts = new Float64Array(8)
  for (let seed = 0; seed < 8000; seed++) counts[shuffledIndices(8, seed).indexOf(0)]! += 1
  // 1,000 each are expected, with a standard deviation of 30.
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150)
})

it('epochs of a run, and runs of different seeds, differ', () => {
  const orders = [0, 1, 2].flatMap((seed) =>
    [0, 1, 2].map((epoch) => `${shuffledIndices(20, epochSeed(seed, epoch))}`),
  )
  expect(new Set(orders).size).toBe(9)
})
