import { expect, it } from 'vitest'
import { crc32c, eventFile } from './event-file'

it('checksums are those of RFC 3720, appendix B.4', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43)
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e)
})

it('records are framed by length and masked checksums, and hold what was written', () => {
  const file = eventFile([{ wallTime: 1.5, step: 300, tag: 'loss', value: 0.25 }])
  const view = new DataView(file.buffer)
  const masked = (data: Uint8Array) => {
    const crc = crc32c(data)
    return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
  }
  const records: Uint8Array[] = []
  for (let at = 0; at < file.length; ) {
    const length = Number(view.getBigUint64(at, true))
    expect(view.getUint32(at + 8, true)).toBe(masked(file.subarray(at, at + 8)))
    records.push(file.subarray(at + 12, at + 12 + length))
    expect(view.getUint32(at + 12 + length, true)).toBe(masked(records.at(-1)!))
    at += 16 + length
  }
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  // Wall time 1.5 (field 1), then the version (field 3).
  expect(hex(records[0]!)).toBe(`09000000000000f83f1a0d${Buffer.from('brain.Event:2').toString('hex')}`)
  // Step 300 (field 2), summary (5) of one value (1): tag (1) 'loss', simple value (2) 0.25.
  expect(hex(records[1]!)).toBe('09000000000000f83f10ac022a0d0a0b0a046c6f7373150000803e')
  expect(records).toHaveLength(2)
})
