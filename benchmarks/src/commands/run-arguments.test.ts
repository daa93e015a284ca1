import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadSuiteConfig } from '../suite-config'
import { checkFlags, joinNegativeNumbers } from './check-flags'
import {
  entriesOfConfig,
  loadOwn,
  parseSeeds,
  positiveInteger,
  resolveEntries,
  runArguments,
} from './run-arguments'

const none = { methods: [], tasks: [] }

it('a number of seeds counts from 0, a list names them', () => {
  expect(parseSeeds('3')).toEqual([0, 1, 2])
  expect(parseSeeds('4,7')).toEqual([4, 7])
  expect(parseSeeds('4,')).toEqual([4])
  for (const wrong of ['0', 'x', '1.5']) expect(() => parseSeeds(wrong)).toThrow('--seeds must be a positive')
  expect(() => parseSeeds('1,x')).toThrow("--seeds must be a count or integers from 0. Received '1,x'.")
})

it('counts are positive integers', () => {
  expect(positiveInteger('epochs', undefined)).toBeUndefined()
  expect(positiveInteger('epochs', '12')).toBe(12)
  expect(() => positiveInteger('epochs', '0')).toThrow("--epochs must be a positive integer. Received '0'.")
})

it('misspelt options are refused, both spellings of negation pass', () => {
  checkFlags(['--suite', 'tiny', '--no-step-times', '--out=x'], runArguments)
  expect(() => checkFlags(['--epoch', '1'], runArguments)).toThrow(
    "unknown option '--epoch'. Choose from: --suite, --tasks,",
  )
})

it('a negative number is the value of the option before it', () => {
  expect(joinNegativeNumbers(['run', '--seeds', '-1', '--out', 'x', '--no-step-times'])).toEqual([
    'run',
    '--seeds=-1',
    '--out',
    'x',
    '--no-step-times',
  ])
  expect(joinNegativeNumbers(['--seeds=3', '-1', '-h'])).toEqual(['--seeds=3', '-1', '-h'])
})

it('suite, tasks and methods resolve to contestants with settings, the baseline first', () => {
  const [entry, ...others] = resolveEntries({ suite: 'quick', tasks: 'tiny', methods: 'backprop' }, none)
  expect(others).toEqual([])
  expect(entry!.task.name).toBe('tiny')
  expect(entry!.contestants).toMatchObject([
    { method: { name: 'backprop' }, hyperparameters: { learningRate: 0.1 }, tuned: true },
  ])
  expect(resolveEntries({ suite: 'mlp' }, none).map(({ task }) => task.name)).toEqual([
    'mnist-mlp-30',
    'mnist-mlp-512',
  ])
})

it('the quick suite is a part of the matrix: equal budgets and settings, so that trials of one are trials of the other', async () => {
  const quick = resolveEntries({ suite: 'quick' }, none)
  const matrix = entriesOfConfig(
    await loadSuiteConfig(join(import.meta.dirname, '../../suites/matrix.yaml')),
    none,
  )
  for (const { contestants, ...rest } of quick) {
    const { contestants: all, ...same } = matrix.find(({ task }) => task === rest.task)!
    expect(rest).toEqual(same)
    for (const { method, ...settings } of contestants)
      expect(all.find((other) => other.method.name === method.name)).toMatchObject(settings)
  }
})

it('the quick suite has a method of every package', () => {
  const names = resolveEntries({ suite: 'quick' }, none).flatMap(({ contestants }) =>
    contestants.map(({ method }) => method.name),
  )
  for (const name of ['proxprop', 'advprop', 'sparse-top-k', 'diff-attention', 'rnd', 'episodic-count'])
    expect(names).toContain(name)
})

it('a method of another kind of setup is refused with those that fit', () => {
  expect(() => resolveEntries({ suite: 'quick', tasks: 'exploration', methods: 'proxprop' }, none)).toThrow(
    "method 'proxprop' changes supervised setups; that of task 'exploration' is agent. Choose from: backprop, episodic-count, rnd, icm, ride, ngu, re3, e3b, pseudo-counts, disagreement, proxprop-policy.",
  )
})

it('unknown suites, tasks, methods and files are answered with the choices', async () => {
  expect(() => resolveEntries({ suite: 'slow' }, none)).toThrow("unknown suite 'slow'. Choose from: quick,")
  expect(() => resolveEntries({ suite: 'quick', tasks: 'cifar' }, none)).toThrow(
    "unknown task 'cifar'. Choose from: mnist-mlp-30,",
  )
  expect(() => resolveEntries({ suite: 'quick', methods: 'magic' }, none)).toThrow(
    "unknown method 'magic'. Choose from: backprop",
  )
  await expect(loadOwn({ methods: ['./none.ts'], tasks: [] })).rejects.toThrow(
    '--method ./none.ts: there is no such file.',
  )
})
