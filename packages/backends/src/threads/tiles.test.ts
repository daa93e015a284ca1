import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { maxTiles } from './job'
import { cutIntoTiles } from './tiles'

const jobs = fc.record({
  length: fc.integer({ min: 1, max: 100_000 }),
  cost: fc.double({ min: 0.01, max: 1e6, noNaN: true }),
  threads: fc.integer({ min: 1, max: 64 }),
  multiple: fc.constantFrom(1, 2, 4, 12, 16, 256),
})

it('every item is in exactly one tile, tiles begin at multiples, and a rest shorter than half a tile joins the last', () => {
  fc.assert(
    fc.property(jobs, ({ length, ...how }) => {
      const tiles = cutIntoTiles(length, how)
      expect(tiles.length).toBeLessThanOrEqual(maxTiles)
      let end = 0
      for (const [start, count] of tiles) {
        expect(start).toBe(end)
        expect(start % how.multiple).toBe(0)
        if (tiles.length > 1) expect(count).toBeGreaterThanOrEqual(how.multiple / 2)
        end += count
      }
      expect(end).toBe(length)
    }),
  )
})

it('short work stays in one piece, long work gives every thread some', () => {
  expect(cutIntoTiles(1000, { cost: 10, threads: 2, multiple: 1 })).toEqual([[0, 1000]])
  expect(cutIntoTiles(1000, { cost: 40, threads: 2, multiple: 1 })).toEqual([
    [0, 500],
    [500, 500],
  ])
  expect(cutIntoTiles(1000, { cost: 1000, threads: 2, multiple: 1 })).toHaveLength(4)
})
