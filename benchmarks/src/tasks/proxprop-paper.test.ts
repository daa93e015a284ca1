import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend } from '@tfgraft/backends'
import type { Method } from '@tfgraft/core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { builtInMethods, resolveMethods, settingsFor } from '../methods'
import { proxpropPaper } from './proxprop-paper'

beforeAll(() => useBackend('wasm'))

const tasks = Object.values(proxpropPaper).flat()
const folder = mkdtempSync(join(tmpdir(), 'cifar10-'))
afterEach(() => {
  delete process.env.CIFAR10_FOLDER
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('gives all methods of a task grids of one size, and chooses from them', () => {
  for (const { settings } of tasks)
    for (const { grid, chosen } of Object.values(settings)) {
      expect(grid).toHaveLength(settings.backprop!.grid.length)
      expect(grid).toContainEqual(chosen)
    }
})

it("takes a step on the user's own CIFAR-10 by every solver", async () => {
  for (const file of [
    'data_batch_1',
    'data_batch_2',
    'data_batch_3',
    'data_batch_4',
    'data_batch_5',
    'test_batch',
  ])
    writeFileSync(
      join(folder, `${file}.bin`),
      Uint8Array.from({ length: 4 * 3073 }, (_, i) => (i % 3073 === 0 ? i % 7 : (7 * i) % 256)),
    )
  process.env.CIFAR10_FOLDER = folder
  for (const task of proxpropPaper.cifar10.slice(0, 2)) {
    const loaded = await task.load({ evaluateOn: 'test', limit: 8 })
    for (const entry of resolveMethods('proxprop,proxprop-cg3', builtInMethods)) {
      const { hyperparameters } = settingsFor(entry.name, task.settings)
      const training = await loaded.start(entry.create(hyperparameters) as Method, hyperparameters, 0)
      const before = await training.evaluate()
      await training.step()
      expect((await training.evaluate()).loss).not.toBe(before.loss)
      training.dispose()
    }
    loaded.dispose()
  }
})

it('says how to point at CIFAR-10', async () => {
  await expect(proxpropPaper.cifar10[0]!.load({ evaluateOn: 'test' })).rejects.toThrow(
    'CIFAR10_FOLDER must name the folder with data_batch_1.bin',
  )
})
