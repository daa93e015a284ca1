import { useBackend } from '@tfgraft/backends'
import { identity } from '@tfgraft/core'
import { diffAttentionMethod } from '@tfgraft/diff-attention'
import { expectNoTensorLeak } from '@tfgraft/testing'
import { beforeAll, expect, it } from 'vitest'
import { mobyDick } from './moby-dick'
import { recurrence } from './recurrence'
import { retrieval } from './retrieval'

beforeAll(() => useBackend('wasm'))

it.each([recurrence, retrieval, mobyDick])(
  '$name: trains, reports its metrics, and leaves no tensor behind',
  { timeout: 180_000 },
  async (task) => {
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
