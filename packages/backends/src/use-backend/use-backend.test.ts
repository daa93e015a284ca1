import * as tf from '@tensorflow/tfjs-core'
import { expect, it } from 'vitest'
import { registerTrainingKernels } from '../training-kernels/register'
import { useBackend } from './use-backend'

it('makes the named backend current', async () => {
  expect(await useBackend('cpu')).toBe('cpu')
  expect(tf.getBackend()).toBe('cpu')
  expect(await useBackend('wasm')).toBe('wasm')
  expect(tf.getBackend()).toBe('wasm')
})

it('an unknown name is answered with the choices', async () => {
  await expect(useBackend('tpu' as 'cpu')).rejects.toThrow(
    'useBackend: `name` must be one of auto, cuda, node, webgpu, wasm, webgl, cpu. Received name="tpu".',
  )
})

it('registering a second time installs nothing', async () => {
  await useBackend('wasm')
  expect(registerTrainingKernels()).toEqual([])
})
