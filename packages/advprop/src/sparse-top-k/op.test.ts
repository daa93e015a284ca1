import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, describeOp } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { selectionCases } from './cases'
import { selectLargest } from './op'
import { thresholdRank } from './threshold'

describeOp(selectLargest, selectionCases)

describeBackends('selectLargest', () => {
  it('NaN in is NaN out, at its place', () => {
    for (const convention of ['quantile', 'count', 'countWithTies'] as const) {
      const x = tf.tensor3d([1, 2, Number.NaN, 4, 5, -6, 7, 8], [1, 8, 1])
      const y = selectLargest({ x }, { k: 0.5, convention, kept: 1, dropped: 0 }).dataSync()
      expect(y[2]).toBeNaN()
    }
  })

  it('keeps the number of entries that the convention says', () => {
    const x = tf.randomNormal([3, 64, 5], 0, 1, 'float32', 4)
    const keptPerPlane = (k: number, convention: 'quantile' | 'count') => {
      const y = selectLargest({ x }, { k, convention, kept: 1, dropped: 0 })
      return new Set(tf.sum(tf.abs(tf.sign(y)), 1).dataSync())
    }
    expect(keptPerPlane(0.2, 'quantile')).toEqual(new Set([13]))
    expect(keptPerPlane(0.2, 'count')).toEqual(new Set([12]))
    expect(keptPerPlane(0, 'count')).toEqual(new Set([1]))
    expect(keptPerPlane(0, 'quantile')).toEqual(new Set([1]))
  })
})

it('the threshold lies between neighbours of the order', () => {
  expect(thresholdRank(64, 0.2, 'count')).toEqual({ rank: 12, weight: 0 })
  const { rank, weight } = thresholdRank(64, 0.2, 'quantile') // position 50.4 of 0..63
  expect(rank).toBe(14)
  expect(weight).toBeCloseTo(0.4)
})
