import * as tf from '@tensorflow/tfjs-core'
import { expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { useBackend } from '../use-backend/use-backend'
import { backendReport } from './backend-report'
import { formatReport } from './format-report'

it('reports every backend with a reason, measures those present and leaves the current one current', async () => {
  await useBackend('wasm')
  const report = await expectNoTensorLeak(() => backendReport({ measure: true }))
  expect(tf.getBackend()).toBe('wasm')
  expect(report.current).toBe('wasm')
  expect(report.backends.map(({ name }) => name)).toEqual(['cuda', 'node', 'webgpu', 'wasm', 'webgl', 'cpu'])
  for (const { available, detail, speed } of report.backends) {
    expect(detail).not.toBe('')
    expect(Boolean(speed)).toBe(available)
  }
  const wasm = report.backends.find(({ name }) => name === 'wasm')!
  expect(wasm.kernels.missing).toBeGreaterThan(5)
  expect(wasm.speed!.gigaflops).toBeGreaterThan(1)
  const text = formatReport(report)
  expect(text).toContain(`auto: ${report.auto.why}`)
  expect(text.split('\n')[0]).toMatch(/backend +here +GFLOP\/s +GB\/s/)
})
