import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend } from '@tfgraft/backends'
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { entriesOfConfig, loadOwn } from './commands/run-arguments'
import { inProcessQueue } from './queue/in-process'
import { readResults } from './results'
import { runSuite } from './run-suite'
import { loadSuiteConfig } from './suite-config'

beforeAll(() => useBackend('wasm'))
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tfgraft-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const file = (text: string, name = 'suite.yaml') => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const benchmarks = join(import.meta.dirname, '..')

it.each([
  ['entries: []', 'entries: Too small: expected array to have >=1 items. Received [].'],
  [
    'entries: [{ task: tiny, epochs: five }]',
    'entries[0].epochs: Invalid input: expected number, received string. Received "five".',
  ],
  ['entries: [{ task: tiny, epoch: 5 }]', 'entries[0].epoch: Unrecognized key: "epoch". Received 5.'],
  ['seeds: 0\nentries: [{ task: tiny }]', 'seeds: Too small: expected number to be >0. Received 0.'],
  ['entries: [', '--config'],
  ['', 'all of it: Invalid input: expected object, received null. Received null.'],
])('%j is refused with path and value', async (text, message) => {
  await expect(loadSuiteConfig(file(text))).rejects.toThrow(message)
})

it('names that do not exist are refused with the choices', async () => {
  const entriesOf = async (text: string) => {
    const config = await loadSuiteConfig(file(text))
    return entriesOfConfig(config, { methods: [], tasks: [] })
  }
  await expect(entriesOf('entries: [{ task: cifar }]')).rejects.toThrow("unknown task 'cifar'. Choose from:")
  await expect(entriesOf('entries: [{ task: tiny, methods: [magic] }]')).rejects.toThrow(
    "unknown method 'magic'.",
  )
  await expect(
    entriesOf('entries: [{ task: tiny, methods: [proxprop], settings: { advprop: { epsilon: 1 } } }]'),
  ).rejects.toThrow("unknown method in the settings of 'tiny' 'advprop'. Choose from: backprop, proxprop.")
  await expect(entriesOf('entries: [{ task: tiny }, { task: tiny }]')).rejects.toThrow(
    "Received 'tiny' twice.",
  )
})

it('a task that is none is refused with what is wrong', async () => {
  const path = file("export default { name: 'Mine', title: 'x' }", 'task.mjs')
  await expect(loadOwn({ methods: [], tasks: [path] })).rejects.toThrow(
    'name: must be kebab-case, as file names are. Received "Mine". summary: Invalid input: expected string, received undefined. Received nothing.',
  )
})

it('the documented example runs: a method in under 60 lines, a task, a suite, with settings, epochs and seeds', async () => {
  expect(
    readFileSync(join(benchmarks, 'examples', 'sharpness-aware.ts'), 'utf8').split('\n').length,
  ).toBeLessThan(60)
  const config = await loadSuiteConfig(join(benchmarks, 'examples', 'suite.yaml'))
  const files = { methods: config.methods, tasks: config.tasks }
  const entries = entriesOfConfig(config, await loadOwn(files))
  const out = join(folder, 'run')
  const queue = inProcessQueue()
  const failed = await runSuite({
    ...{
      entries,
      seeds: [0],
      epochs: 1,
      limit: 200,
      backend: 'wasm',
      own: files,
      queue,
      out,
      command: 'test',
      stepTimes: false,
    },
    signal: new AbortController().signal,
    display: { start() {}, update() {}, stop() {}, close() {}, log() {} },
    log() {},
  })
  await queue.close()
  expect(failed).toEqual([])
  const trials = readResults(out).filter((record) => record.kind === 'trial')
  expect(trials.map(({ config }) => `${config.task} ${config.method}`)).toEqual([
    'two-moons backprop',
    'two-moons sharpness-aware',
    'two-moons proxprop',
    'tiny backprop',
    'tiny sharpness-aware',
  ])
  expect(trials[2]!.config.hyperparameters).toEqual({ learningRate: 1, tau: 0.5 })
  expect(trials[0]!.about?.title).toBe('Two moons, 2-16-2')
  expect(readFileSync(join(out, 'index.html'), 'utf8')).toContain('Two moons, 2-16-2')
})

it('every composition of the matrix takes a step', async () => {
  const config = await loadSuiteConfig(join(benchmarks, 'suites', 'matrix.yaml'))
  const compositions = entriesOfConfig(config, { methods: [], tasks: [] }).flatMap(({ task, contestants }) =>
    contestants
      .filter(({ method }) => /\+|policy/.test(method.name))
      .map((contestant) => ({ task, ...contestant })),
  )
  expect(compositions.map(({ task, method }) => `${task.name} ${method.name}`)).toEqual([
    'mnist-robust advprop+sparse-top-k',
    'fashion-shape advprop+sparse-top-k',
    'exploration proxprop-policy',
    'exploration proxprop-policy+rnd',
    'mnist-vit diff-attention+advprop',
  ])
  for (const { task, method, hyperparameters } of compositions) {
    const loaded = await task.load({ evaluateOn: 'test', limit: 50 })
    const training = await loaded.start(method.create(hyperparameters), hyperparameters, 0)
    await training.step()
    expect(training.parameters).toBeGreaterThan(0)
    training.dispose()
    loaded.dispose()
  }
})
