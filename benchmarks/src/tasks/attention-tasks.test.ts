import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend } from '@tfgraft/backends'
import { identity } from '@tfgraft/core'
import { diffAttentionMethod } from '@tfgraft/diff-attention'
import { expectNoTensorLeak } from '@tfgraft/testing'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { mobyDick, ownText } from './moby-dick'
import { recurrence } from './recurrence'
import { retrieval } from './retrieval'

const folder = mkdtempSync(join(tmpdir(), 'own-text-'))
const textFile = (name: string, text: string) => {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}
beforeAll(() => useBackend('wasm'))
afterEach(() => {
  delete process.env.TEXT_FILE
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it.each([recurrence, retrieval, mobyDick, ownText])(
  '$name: trains, reports its metrics, and leaves no tensor behind',
  { timeout: 180_000 },
  async (task) => {
    process.env.TEXT_FILE = textFile('long.txt', 'the whale, the whale! '.repeat(1000))
    const loaded = await task.load({ evaluateOn: 'validation', limit: 64 })
    const settings = task.settings['diff-attention']!.chosen
    const plain = await loaded.start(identity, settings, 1)
    const method = diffAttentionMethod({ weights: 'fresh' })
    const differential = await loaded.start(method, settings, 1)
    // Equal but for the vectors of lambda and the scales of the normalisation, 96 per layer.
    expect(differential.parameters / plain.parameters).toBeLessThan(1.005)
    await differential.step()
    await expectNoTensorLeak(() => differential.step())
    const metrics = await plain.evaluate()
    expect(Object.keys(metrics)).toEqual(expect.arrayContaining(task.metrics.map(({ name }) => name)))
    for (const value of Object.values(metrics)) expect(value).toBeGreaterThanOrEqual(0)
    plain.dispose()
    differential.dispose()
    loaded.dispose()
  },
)

it("says what the user's text must be", async () => {
  await expect(ownText.load({ evaluateOn: 'test' })).rejects.toThrow(
    'own-text: TEXT_FILE must name a text file, in UTF-8.',
  )
  process.env.TEXT_FILE = textFile('short.txt', 'Call me Ishmael.')
  await expect(ownText.load({ evaluateOn: 'test' })).rejects.toThrow(
    'own-text: TEXT_FILE must hold at least 12800 characters. Received 16',
  )
})
