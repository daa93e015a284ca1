import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { expect, it } from 'vitest'
import { shareMemoryOf } from './share-memory'

it("changes one byte of tfjs's module, and none of its argument", async () => {
  const path = createRequire(import.meta.url).resolve(
    '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm',
  )
  const stock = new Uint8Array(await readFile(path))
  const before = stock.slice()
  const shared = shareMemoryOf(stock)
  expect(stock).toEqual(before)
  expect(Array.from(shared).filter((byte, i) => byte !== stock[i])).toEqual([3])
  expect(WebAssembly.validate(shared)).toBe(true)
})

it('a module without a bounded memory of its own cannot share it', () => {
  const magic = [0, 97, 115, 109, 1, 0, 0, 0]
  const message =
    'shareMemoryOf: the module must have a memory of its own with an upper bound. Received one without.'
  expect(() => shareMemoryOf(new Uint8Array(magic))).toThrow(message)
  expect(() => shareMemoryOf(new Uint8Array([...magic, 5, 3, 1, 0, 1]))).toThrow(message)
  expect(Array.from(shareMemoryOf(new Uint8Array([...magic, 5, 4, 1, 1, 1, 2])))).toEqual([
    ...magic,
    5,
    4,
    1,
    3,
    1,
    2,
  ])
})
