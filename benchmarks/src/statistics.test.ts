import { expect, it } from 'vitest'
import { estimate, excludesZero, pairedDifference, pValue } from './statistics'

it('the 95 % interval is that of Student t', () => {
  // scipy.stats.t.interval(0.95, 4, loc=3, scale=scipy.stats.sem([1, 2, 3, 4, 5])) = (1.0367568, 4.9632432)
  const { mean, low, high, count } = estimate([1, 2, 3, 4, 5])
  expect([mean, count]).toEqual([3, 5])
  expect(low).toBeCloseTo(1.03676, 3)
  expect(high).toBeCloseTo(4.96324, 3)
})

it('one value has a mean and no interval', () => {
  expect(estimate([0.97])).toEqual({ mean: 0.97, low: Number.NaN, high: Number.NaN, count: 1 })
  expect(excludesZero(estimate([0.97]))).toBe(false)
  expect(() => estimate([])).toThrow('`values` must not be empty')
})

it('the quantile stays continuous where the table ends', () => {
  const half = (count: number) => {
    const { low, high } = estimate(Array.from({ length: count }, (_, i) => i % 2))
    return ((high - low) / 2) * Math.sqrt(count)
  }
  expect(half(33) / half(31)).toBeCloseTo(1, 2)
})

it('pairing by seed finds a difference that the spread over seeds hides', () => {
  const base = new Map([0, 1, 2, 3].map((seed) => [seed, 0.9 + 0.02 * seed]))
  const better = new Map([...base].map(([seed, value]) => [seed, value + 0.003 + 0.0001 * seed]))
  const difference = pairedDifference(better, base)!
  expect(difference.mean).toBeCloseTo(0.00315, 6)
  expect(excludesZero(difference)).toBe(true)
  expect(excludesZero(estimate([...better.values()].map((value) => value - 0.93)))).toBe(false)
})

it('only seeds that both have are paired', () => {
  const difference = pairedDifference(
    new Map([
      [0, 1],
      [1, 5],
    ]),
    new Map([
      [1, 2],
      [2, 9],
    ]),
  )
  expect(difference).toMatchObject({ mean: 3, count: 1 })
  expect(pairedDifference(new Map([[0, 1]]), new Map([[1, 1]]))).toBeUndefined()
})

it.each([
  // Student's density, integrated numerically (Simpson, 200,000 intervals).
  [[0.5, 0.6], 0.0577158],
  [[1, 2, 4], 0.1180829],
  [[1, -2, 4, 3], 0.3392541],
  [[0.2, 0.1, -0.3, 0.4, 0.2], 0.3584563],
  [[0.02, 0.03, 0.01, 0.05, 0.04, 0.02, 0.03], 0.0013563],
])('the p-value of %j is what the density integrates to', (values, p) => {
  expect(pValue(estimate(values))).toBeCloseTo(p, 4)
})

it('no spread and no difference is chance, no spread and a difference is none; one value says nothing', () => {
  expect(pValue(estimate([0, 0, 0]))).toBe(1)
  expect(pValue(estimate([1, 1, 1]))).toBe(0)
  expect(pValue(estimate([1]))).toBeNaN()
})
