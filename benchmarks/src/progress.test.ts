import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { progressDisplay } from './progress'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const at = { epoch: 1, epochs: 2, step: 5, steps: 10, loss: 0.25, stepsPerSecond: 4, secondsLeft: 60 }

it('a log gets a line every ten seconds: numbers of the training, or what the task says instead', () => {
  const stream = new PassThrough()
  const display = progressDisplay(stream as unknown as NodeJS.WriteStream)
  display.start('a', 'tiny backprop 0')
  display.update('a', at)
  expect(stream.read()).toBeNull()
  vi.advanceTimersByTime(10_000)
  display.update('a', { ...at, accuracy: 0.5 })
  display.update('a', at)
  expect(`${stream.read()}`).toMatch(
    /^tiny backprop 0 {2}epoch 1\/2 {2}step 5\/10 {2}loss 0\.2500 {2}accuracy 50\.0 % {2}4\.0 steps\/s {2}.* left\n$/,
  )
  vi.advanceTimersByTime(10_000)
  display.update('a', { ...at, accuracy: 0.5, status: 'return 0.41  2,000 steps/s' })
  expect(`${stream.read()}`).toMatch(/step 5\/10 {2}return 0\.41 {2}2,000 steps\/s {2}.* left\n$/)
  display.close()
})
