import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { CharacterText, mobyDick, recurrenceSequences } from './index'

it('encoding and decoding are inverse, also beyond the basic plane', () => {
  const text = new CharacterText('naïve 🐳!')
  expect(text.vocabulary.join('')).toBe(' !aenvï🐳')
  expect(text.length).toBe(8)
  expect(text.decode(text.tokens)).toBe('naïve 🐳!')
  expect(() => text.encode('whale')).toThrow('every character must be in the vocabulary of 8. Received "w".')
  expect(() => text.decode([8])).toThrow('tokens must be 0 to 7. Received 8.')
})

describeBackends('windows', () => {
  it('labels are the inputs one character later, and an epoch is drawn anew', async () => {
    await expectNoTensorLeak(async () => {
      const text = new CharacterText('abcdefghijklmnopqrstuvwxyz')
      const windows = text.windows({ length: 5, batchSize: 2, seed: 3 })
      expect(windows.size).toBe(2)
      const epoch = async () => {
        const seen: string[] = []
        for await (const { xs, ys } of windows) {
          expect([xs.shape, xs.dtype]).toEqual([[2, 5], 'int32'])
          const next = Int32Array.from(await xs.data(), (token) => token + 1)
          expect([...(await ys.data())]).toEqual([...next])
          seen.push(text.decode(await xs.data()))
          tf.dispose([xs, ys])
        }
        return seen
      }
      expect(await epoch()).not.toEqual(await epoch())
    })
  })
})

it('windows that do not fit are refused', () => {
  const text = new CharacterText('abc')
  expect(() => text.windows({ length: 3, batchSize: 1, seed: 0 })).toThrow("below the text's 3 characters")
  expect(() => text.windows({ length: 0, batchSize: 1, seed: 0 })).toThrow(
    '`length` must be a positive integer',
  )
})

it('Moby-Dick is whole: the first and the last words of its chapters, in two splits', async () => {
  const { train, test } = await mobyDick()
  expect(train.length / (train.length + test.length)).toBeCloseTo(0.9, 5)
  expect(train.vocabulary).toBe(test.vocabulary)
  expect(train.decode(train.tokens.subarray(0, 40))).toBe('CHAPTER 1. Loomings.\n\nCall me Ishmael. S')
  expect(test.decode(test.tokens).trimEnd().endsWith('as it rolled five thousand years ago.')).toBe(true)
})

it('without noise every element follows its rule', () => {
  const sequence = recurrenceSequences({ count: 1, length: 20, noise: 0, coefficients: [1, 1], seed: 5 })
  for (let n = 2; n < 20; n++) expect(sequence[n]).toBe((sequence[n - 1]! + sequence[n - 2]!) % 7)
})

it('with noise the share of elements that follow the rule is as asked', () => {
  const length = 64
  const coefficients = [2, 3]
  const sequences = recurrenceSequences({ count: 500, length, coefficients, seed: 5 })
  let follows = 0
  for (let row = 0; row < 500; row++)
    for (let n = 2; n < length; n++) {
      const at = row * length + n
      follows += Number(sequences[at] === (2 * sequences[at - 1]! + 3 * sequences[at - 2]!) % 7)
    }
  // 0.9, and a seventh of the noise by chance.
  expect(follows / (500 * (length - 2))).toBeCloseTo(0.9 + 0.1 / 7, 1)
})

it('bad recurrences are refused', () => {
  expect(() => recurrenceSequences({ count: 1, length: 2, seed: 0 })).toThrow(
    'recurrenceSequences: `length` must be an integer above `order`. Received length=2, order=2.',
  )
  expect(() => recurrenceSequences({ count: 1, coefficients: [1], seed: 0 })).toThrow(
    '`coefficients` must have `order` numbers. Received [1], order=2.',
  )
  expect(() => recurrenceSequences({ count: 1, noise: 2, seed: 0 })).toThrow('`noise` must be 0 to 1')
})
