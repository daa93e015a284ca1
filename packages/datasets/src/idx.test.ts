import { expect, it } from 'vitest'
import { parseIdx, writeIdx } from './idx'

it('what was written parses to the same shape and values, without a copy', () => {
  const bytes = writeIdx({ shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 255) })
  expect([...bytes.subarray(0, 12)]).toEqual([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3])
  const { shape, data } = parseIdx(bytes, 'test')
  expect(shape).toEqual([2, 3])
  expect([...data]).toEqual([1, 2, 3, 4, 5, 255])
  expect(data.buffer).toBe(bytes.buffer)
})

it('a view into a larger buffer parses', () => {
  const bytes = writeIdx({ shape: [2], data: Uint8Array.of(7, 9) })
  const larger = new Uint8Array(bytes.length + 5)
  larger.set(bytes, 5)
  expect([...parseIdx(larger.subarray(5), 'test').data]).toEqual([7, 9])
})

it('truncated, foreign and oversized files are refused with what was found', () => {
  const bytes = writeIdx({ shape: [4], data: new Uint8Array(4) })
  expect(() => parseIdx(bytes.subarray(0, 2), 'a.idx')).toThrow('at least 4 bytes. Received 2 bytes in a.idx')
  expect(() => parseIdx(bytes.subarray(0, 6), 'a.idx')).toThrow('the header needs 8 bytes')
  expect(() => parseIdx(bytes.subarray(0, 11), 'a.idx')).toThrow(
    'shape [4] needs 4 values. Received 3 values',
  )
  expect(() => parseIdx(Uint8Array.of(0x1f, 0x8b, 8, 0), 'a.gz')).toThrow('Received 0x1f8b0800 in a.gz')
})
