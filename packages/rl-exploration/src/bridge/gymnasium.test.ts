/** What can be tested without Python. The rest is in `gymnasium.pytest.ts`. */
import { expect, it } from 'vitest'
import { gymnasium } from './gymnasium'
import { bytesOf, leavesOf, ObservationBuffer, payloadAnswer } from './wire'

it('a Python that is not there is an error, not a hang', async () => {
  await expect(gymnasium('CartPole-v1', { python: '/nowhere/python' })).rejects.toThrow(
    'gymnasium: Python did not start.',
  )
})

it('rejects options that make no sense', async () => {
  await expect(gymnasium('X', { numEnvs: 0 })).rejects.toThrow(
    '`numEnvs` must be a positive integer. Received numEnvs=0.',
  )
  await expect(gymnasium('X', { numEnvs: 2, workers: 3 })).rejects.toThrow('Received workers=3.')
  await expect(gymnasium('X', { sharedMemoryBytes: -1 })).rejects.toThrow('Received sharedMemoryBytes=-1.')
  await expect(gymnasium('X', { onCrash: 'ignore' as 'error' })).rejects.toThrow('Received onCrash=ignore.')
})

it('observations of two workers are put together, leaf by leaf', () => {
  const space = {
    type: 'dict',
    spaces: {
      image: { type: 'box', shape: [2], dtype: 'uint8', low: 0, high: 255 },
      inner: {
        type: 'dict',
        spaces: { speed: { type: 'box', shape: [1], dtype: 'float32', low: -1, high: 1 } },
      },
    },
  } as const
  const leaves = leavesOf(space)
  expect(bytesOf(leaves)).toBe(6)
  const buffer = new ObservationBuffer(leaves, 3)
  const floats = Buffer.from(Float32Array.of(0.5, 1.5).buffer)
  buffer.read(payloadAnswer(Buffer.concat([Buffer.of(1, 2, 3, 4), floats])), 0, 0, 2)
  buffer.read(
    payloadAnswer(Buffer.concat([Buffer.of(99, 5, 6), Buffer.from(Float32Array.of(2.5).buffer)])),
    1,
    2,
    1,
  )
  expect(buffer.observations).toEqual({
    image: Uint8Array.of(1, 2, 3, 4, 5, 6),
    inner: { speed: Float32Array.of(0.5, 1.5, 2.5) },
  })
})
