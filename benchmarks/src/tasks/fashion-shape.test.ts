import { useBackend } from '@tfgraft/backends'
import { identity } from '@tfgraft/core'
import { expect, it } from 'vitest'
import { fashionShape } from './fashion-robust'

it('a network that was trained a little follows shapes on black far more often than shapes on half of a texture', async () => {
  await useBackend('wasm')
  const loaded = await fashionShape.load({ evaluateOn: 'validation', limit: 1280 })
  const training = await loaded.start(identity, fashionShape.settings.backprop!.chosen, 0)
  await training.train({ epochs: 1, signal: new AbortController().signal, onStep() {}, onEpoch() {} })
  const { shapeBias, shapeBiasOnBlack, accuracy } = await training.evaluate()
  expect(accuracy).toBeGreaterThan(0.3)
  expect(shapeBiasOnBlack).toBeGreaterThan(shapeBias! + 0.2)
  expect(shapeBiasOnBlack).toBeLessThanOrEqual(1)
  training.dispose()
  loaded.dispose()
})
