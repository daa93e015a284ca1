import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend } from '@tfgraft/backends'
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { builtInMethods, resolveMethods, settingsFor } from './methods'
import type { TrialConfig } from './results'
import type { LoadedTask, Task } from './task'
import { exploration } from './tasks/exploration'
import { retrieval } from './tasks/retrieval'
import { tiny } from './tasks/tiny'
import { runTrial } from './trial'
import { trialCheckpoint } from './trial-checkpoint'

beforeAll(() => useBackend('wasm'))
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tfgraft-checkpoint-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

class Killed extends Error {}

/**
 * Runs a trial whose process is "killed" in step `killAt` (0: never): it leaves by an exception that is no abort, so that nothing is
 * saved on the way out.
 */
async function run(task: Task, loaded: LoadedTask, method: string, killAt = 0) {
  const [entry] = resolveMethods(method, builtInMethods).slice(-1)
  const { hyperparameters } = settingsFor(method, task.settings)
  const config: TrialConfig = {
    ...{ task: task.name, method, seed: 3, epochs: 2, backend: 'wasm', hyperparameters },
    evaluateOn: 'test',
  }
  const resumed: string[] = []
  let steps = 0
  const outcome = await runTrial(task, loaded, entry!.create(hyperparameters), config, {
    signal: new AbortController().signal,
    onProgress: () => {
      if (++steps === killAt) throw new Killed('killed')
    },
    checkpoint: trialCheckpoint(folder, `${task.name}:${method}`, 0),
    log: (line) => resumed.push(line),
  })
  return { outcome, resumed }
}

const cases = [
  { task: tiny, method: 'backprop', limit: 100, stepsPerEpoch: 5 },
  { task: tiny, method: 'proxprop', limit: 100, stepsPerEpoch: 5 },
  { task: retrieval, method: 'diff-attention', limit: 96, stepsPerEpoch: 3 }, // Adam
  { task: exploration, method: 'rnd', limit: 1, stepsPerEpoch: 6 }, // agent, bonus, environments
] as { task: Task; method: string; limit: number; stepsPerEpoch: number }[]

it.each(cases)(
  '$task.name by $method, killed in each third of its steps, ends with the same numbers',
  async ({ task, method, limit, stepsPerEpoch }) => {
    const loaded = await task.load({ evaluateOn: 'test', limit })
    const { outcome: whole } = await run(task, loaded, method)
    trialCheckpoint(folder, `${task.name}:${method}`).remove()
    // In the first epoch, in its last step, and in the second: each attempt goes on where the one before was killed.
    for (const killAt of [2, stepsPerEpoch - 1, 2])
      expect((await run(task, loaded, method, killAt)).outcome).toMatchObject({
        status: 'failed',
        error: 'killed',
      })
    const { outcome, resumed } = await run(task, loaded, method)
    expect(resumed).toHaveLength(1)
    const timeless = ({ timing: _, ...rest }: typeof outcome) => rest
    expect(timeless(outcome)).toEqual(timeless(whole))
    expect(outcome.timing.seconds).toHaveLength(3)
    loaded.dispose()
  },
)

it('a checkpoint of another trial or format is not taken up', () => {
  const checkpoint = trialCheckpoint(folder, 'a:b')
  const snapshot = { curve: [], seconds: [], trainingSeconds: 1, stepTimes: [1], training: new Map([[1, 2]]) }
  checkpoint.write(snapshot)
  expect(trialCheckpoint(folder, 'a:b').read()).toEqual(snapshot)
  expect(trialCheckpoint(folder, 'a_b').read()).toBeUndefined() // the same file name
  expect(readdirSync(folder)).toEqual(['a_b.checkpoint'])
  checkpoint.remove()
  expect(checkpoint.read()).toBeUndefined()
})
