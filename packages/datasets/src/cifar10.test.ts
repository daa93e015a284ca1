import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { cifar10 } from './cifar10'

const folders: string[] = []
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))

/** A folder with two images per file; channel c of pixel p in image i has the value (i + c + p) % 256. */
async function makeFolder(change?: (bytes: Uint8Array) => Uint8Array) {
  const folder = await mkdtemp(join(tmpdir(), 'cifar10-'))
  folders.push(folder)
  const files = [1, 2, 3, 4, 5].map((part) => `data_batch_${part}.bin`)
  for (const [i, file] of [...files, 'test_batch.bin'].entries()) {
    const bytes = new Uint8Array(2 * 3073)
    for (const image of [0, 1]) {
      bytes[image * 3073] = (2 * i + image) % 10
      for (let c = 0; c < 3; c++)
        for (let p = 0; p < 1024; p++) bytes[image * 3073 + 1 + 1024 * c + p] = (image + c + p) % 256
    }
    await writeFile(join(folder, file), change && file === 'test_batch.bin' ? change(bytes) : bytes)
  }
  return folder
}

it('reads the binary version: all five training files in order, channels side by side', async () => {
  const { train, test } = await cifar10({ folder: await makeFolder() })
  expect([train.count, test.count, train.imageShape]).toEqual([10, 2, [32, 32, 3]])
  expect(Array.from({ length: 10 }, (_, i) => train.label(i))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect([...train.bytes(1).slice(0, 6)]).toEqual([1, 2, 3, 2, 3, 4])
  expect(train.bytes(0).at(-1)).toBe((2 + 1023) % 256)
  expect(train.classNames[9]).toBe('truck')
})

it('names the file that is missing, cut short or not CIFAR-10', async () => {
  const folder = await makeFolder()
  await rm(join(folder, 'data_batch_4.bin'))
  await expect(cifar10({ folder })).rejects.toThrow(
    `cifar10: \`folder\` must have the file data_batch_4.bin. Received folder=${folder}.`,
  )
  await expect(cifar10({ folder: await makeFolder((bytes) => bytes.slice(1)) })).rejects.toThrow(
    'cifar10: test_batch.bin must have records of 3073 bytes. Received 6145 bytes.',
  )
  const wrong = makeFolder((bytes) => bytes.map((byte, i) => (i === 3073 ? 11 : byte)))
  await expect(cifar10({ folder: await wrong })).rejects.toThrow(
    'cifar10: labels in test_batch.bin must be 0 to 9. Received 11 in record 1.',
  )
  await expect(cifar10({})).rejects.toThrow('Received folder=undefined, baseUrl=undefined.')
})
