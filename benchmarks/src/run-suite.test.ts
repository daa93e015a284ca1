import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { identity, type Method, type TrainingSetup } from '@tfgraft/core'
import { describeBackends, expectNoTensorLeak } from '@tfgraft/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { compareRuns } from './compare-runs'
import { builtInMethods, type MethodEntry, settingsFor } from './methods'
import { inProcessQueue } from './queue/in-process'
import { readResults, type TrialRecord } from './results'
import { type RunSuiteOptions, runSuite } from './run-suite'
import { tiny } from './tasks/tiny'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tfgraft-run-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const method = (name: string, apply: (setup: TrainingSetup) => TrainingSetup): MethodEntry => ({
  name,
  kind: 'any',
  summary: name,
  create: (): Method => ({ name, paper: identity.paper, apply }),
})
const slower = method('slower', (setup) => ({ ...setup, optimizer: tf.train.sgd(0.01) }))
const exploding = method('exploding', (setup) => ({
  ...setup,
  loss: (_, predictions) => tf.mul(tf.sum(predictions), Number.NaN),
}))
const broken = method('broken', () => {
  throw new Error('this method cannot carry dense layers')
})

const silent = { start() {}, update() {}, stop() {}, close() {}, log() {} }
const lines: string[] = []

/** The methods here are no files and not built in, so they run in this process. */
const queueOf = (methods: readonly MethodEntry[]) =>
  inProcessQueue(
    { checkpoints: join(folder, 'checkpoints') },
    {
      task: () => tiny,
      method: (name) => [builtInMethods[0]!, ...methods].find((entry) => entry.name === name)!,
    },
  )

const options = (methods: readonly MethodEntry[], more: Partial<RunSuiteOptions> = {}): RunSuiteOptions => ({
  queue: queueOf(methods),
  entries: [
    {
      task: tiny,
      contestants: [builtInMethods[0]!, ...methods].map((entry) => ({
        method: entry,
        ...settingsFor(entry.name, tiny.settings),
      })),
    },
  ],
  seeds: [0, 1],
  epochs: 2,
  backend: tf.getBackend(),
  out: folder,
  command: 'test',
  signal: new AbortController().signal,
  display: silent,
  log: (line) => lines.push(line),
  ...more,
})

const trialsOf = (path: string) => readResults(path).filter((record) => record.kind === 'trial')

describeBackends('a suite', () => {
  it('trains every method from every seed, and leaves no tensor', async () => {
    await expectNoTensorLeak(() => runSuite(options([slower])))
    const trials = trialsOf(folder)
    expect(trials.map(({ config }) => `${config.method} ${config.seed}`)).toEqual([
      'backprop 0',
      'slower 0',
      'backprop 1',
      'slower 1',
    ])
    for (const trial of trials) {
      expect(trial.status).toBe('finished')
      expect(trial.curve.map(({ epoch }) => epoch)).toEqual([0, 1, 2])
      expect(trial.timing.seconds).toHaveLength(3)
      expect(trial.timing.msPerStep).toBeGreaterThan(0)
      expect(trial.parameters).toBe(2 * 8 + 8 + 8 * 2 + 2)
      // At least the 42 weights, their gradients, and the activations of 20 examples.
      expect(trial.peakBytes).toBeGreaterThan(4 * (42 + 42 + 20 * 8))
    }
    // Equal weights before training, whatever the method.
    expect(trials[0]!.curve[0]).toEqual(trials[1]!.curve[0])
    expect(trials[0]!.curve[2]!.metrics.accuracy).toBeGreaterThan(0.95)
    const steps = readResults(folder).find((record) => record.kind === 'steps')!
    expect(Object.keys((steps as { methods: object }).methods)).toEqual(['backprop', 'slower'])
    expect(existsSync(join(folder, 'index.html'))).toBe(true)
  })

  it('a rerun gives the same numbers, but for times', async () => {
    const again = mkdtempSync(join(tmpdir(), 'tfgraft-run-'))
    await runSuite(options([slower], { stepTimes: false }))
    await runSuite(options([slower], { stepTimes: false, out: again }))
    const timeless = ({ timing: _, date: __, ...rest }: TrialRecord) => rest
    expect(trialsOf(again).map(timeless)).toEqual(trialsOf(folder).map(timeless))
    expect(compareRuns(readResults(folder), readResults(again)).map(({ worseBy }) => worseBy)).toEqual(
      Array(4).fill(0),
    )
    rmSync(again, { recursive: true })
  })
}, ['cpu', 'wasm'])

it('finished trials are not run again; a longer run is another trial', async () => {
  await runSuite(options([slower], { seeds: [0] }))
  const before = readFileSync(join(folder, 'results.jsonl'), 'utf8')
  await runSuite(options([slower], { seeds: [0] }))
  expect(readFileSync(join(folder, 'results.jsonl'), 'utf8')).toBe(before)
  await runSuite(options([slower], { seeds: [0, 1] }))
  expect(trialsOf(folder)).toHaveLength(4)
  await runSuite(options([slower], { seeds: [0], epochs: 1 }))
  expect(trialsOf(folder)).toHaveLength(6)
})

it('a method that throws is recorded with its error, and the others go on', async () => {
  const failed = await runSuite(options([broken, slower], { seeds: [0], stepTimes: false }))
  expect(failed.map(({ error }) => error)).toEqual(['this method cannot carry dense layers'])
  expect(trialsOf(folder).map(({ status }) => status)).toEqual(['finished', 'failed', 'finished'])
  expect(readFileSync(join(folder, 'index.html'), 'utf8')).toContain('this method cannot carry dense layers')
})

it('a loss that leaves the numbers ends the trial as diverged', async () => {
  await runSuite(options([exploding], { seeds: [0], stepTimes: false }))
  const trial = trialsOf(folder)[1]!
  expect(trial.status).toBe('diverged')
  expect(trial.curve).toHaveLength(1)
})

it('an abort keeps the trial as interrupted, and a rerun finishes it', async () => {
  const controller = new AbortController()
  let steps = 0
  const display = {
    ...silent,
    update: () => {
      if (++steps === 25) controller.abort()
    },
  }
  await runSuite(options([slower], { seeds: [0], signal: controller.signal, display }))
  expect(steps).toBe(25)
  expect(trialsOf(folder).map(({ status, curve }) => [status, curve.length])).toEqual([['interrupted', 2]])
  expect(readFileSync(join(folder, 'index.html'), 'utf8')).toContain('Partial report')
  await runSuite(options([slower], { seeds: [0] }))
  expect(trialsOf(folder).map(({ status }) => status)).toEqual(['finished', 'finished'])
  expect(readFileSync(join(folder, 'index.html'), 'utf8')).not.toContain('Partial report')
})
