import { expect, it } from 'vitest'
import { episodeGif } from './episode-gif'
import { gridWorld } from './grid-world'

it('a GIF has the size of its pictures, and one image per picture', () => {
  const env = gridWorld('DoorKey-5x5-v0', { seed: 1 })
  env.reset()
  const frames = [0, 1, 2].map(() => {
    env.step(Int32Array.of(0))
    return env.render('rgb', 0, 8)
  })
  const bytes = Buffer.from(episodeGif(frames))
  expect(bytes.subarray(0, 6).toString()).toBe('GIF89a')
  expect([bytes.readUInt16LE(6), bytes.readUInt16LE(8)]).toEqual([40, 40])
  expect(bytes.at(-1)).toBe(0x3b)
  // Each image follows a graphic control extension.
  expect(bytes.toString('hex').split('21f904')).toHaveLength(4)
})

it('says what is wrong', () => {
  expect(() => episodeGif([])).toThrow('`frames` must hold one picture or more')
  const env = gridWorld('Empty-5x5-v0', { seed: 1 })
  env.reset()
  expect(() => episodeGif([env.render('rgb', 0, 4), env.render('rgb', 0, 8)])).toThrow(
    'Received 40 x 40 after 20 x 20',
  )
})
