/** Test tool: a case gives on the current backend what it gives on tfjs-cpu, NaN included. */
import * as tf from '@tensorflow/tfjs-core'
import { expectClose } from '@tfgraft/testing'
import { expect } from 'vitest'
import { onBackend } from '../training-kernels/on-backend'
import type { KernelCase } from './kernel-case'

export function expectSameAsCpu({ run, rtol = 1e-5, atol = 1e-6 }: KernelCase): void {
  const [expected] = onBackend('cpu', run)
  const result = tf.tidy(run)
  const actual = { dtype: result.dtype, shape: result.shape, data: Array.from(result.dataSync()) }
  result.dispose()
  expect(actual.dtype).toBe(expected!.dtype)
  // NaN must meet NaN; expectClose lets it equal nothing.
  expect(actual.data.map(Number.isNaN)).toEqual(expected!.data.map(Number.isNaN))
  const number = (x: number) => (Number.isNaN(x) ? 0 : x)
  expectClose(
    { shape: actual.shape, data: actual.data.map(number) },
    { shape: expected!.shape, data: expected!.data.map(number) },
    { rtol, atol },
  )
}
