import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { TrialRecord } from '../results'
import { trialId } from '../trial'
import type { Job, JobResult } from './job'
import { localPool } from './local-pool'

// Inside the package, so that the methods' imports resolve as in a user's project.
const packageFolder = fileURLToPath(new URL('../..', import.meta.url))
let folder: string
beforeEach(() => {
  mkdirSync(join(packageFolder, '.cache'), { recursive: true })
  folder = mkdtempSync(join(packageFolder, '.cache', 'pool-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A method that kills its own process in step `at` of a training: once, or every time. */
function killer(name: string, at: number, times: 'once' | 'always'): string {
  const file = join(folder, `${name}.ts`)
  writeFileSync(
    file,
    `import { existsSync, writeFileSync } from 'node:fs'
import { identity, type Method } from '@tfgraft/core'

const marker = ${JSON.stringify(join(folder, `${name}.dead`))}
const killer: Method = {
  name: '${name}',
  paper: identity.paper,
  apply: (setup) => ({
    ...setup,
    step(inner, batch, context) {
      if (context.step === ${at} && !(${times === 'once'} && existsSync(marker))) {
        writeFileSync(marker, '')
        process.kill(process.pid, 'SIGKILL')
      }
      return setup.step(inner, batch, context)
    },
  }),
}
export default killer
`,
  )
  return relative('.', file)
}

function job(method: string, seed: number, methods: string[] = []): Job {
  const hyperparameters = { learningRate: 0.1 }
  const config = {
    ...{ task: 'tiny', method, seed, epochs: 2, backend: 'wasm', hyperparameters },
    evaluateOn: 'test' as const,
  }
  const own = { methods, tasks: [] }
  return { kind: 'trial', id: trialId(config), backend: 'wasm', own, config, tuned: true, command: 'test' }
}

async function run(jobs: Job[], workers = 2) {
  const pool = localPool({ workers, checkpoints: join(folder, 'checkpoints'), checkpointSeconds: 0 })
  const results: JobResult[] = []
  const lines: string[] = []
  try {
    await pool.run(jobs, {
      signal: new AbortController().signal,
      onStart() {},
      onProgress() {},
      onResult: (_, result) => void results.push(result),
      log: (_, line) => lines.push(line),
    })
  } finally {
    await pool.close()
  }
  return { results: results as TrialRecord[], lines }
}

const numbers = ({ status, curve, parameters, peakBytes }: TrialRecord) => ({
  ...{ status, curve, parameters, peakBytes },
})

it('a trial whose process is killed in the middle goes on from its last checkpoint to the same result', async () => {
  const file = killer('fragile', 33, 'once')
  const { results, lines } = await run([job('backprop', 0), job('fragile', 0, [file]), job('backprop', 1)])
  expect(results.map(({ id }) => id).sort()).toEqual(
    [job('backprop', 0), job('fragile', 0), job('backprop', 1)].map(({ id }) => id).sort(),
  )
  expect(lines).toContain('its process ended (SIGKILL); it is run again from its last checkpoint')
  expect(lines).toContain('goes on from step 33 of 40')
  const of = (method: string) => results.find(({ config }) => config.method === method && config.seed === 0)!
  expect(numbers(of('fragile'))).toEqual(numbers(of('backprop')))
})

it('a trial that kills every process is failed after three, and the others go on', async () => {
  const file = killer('deadly', 0, 'always')
  const { results } = await run([job('deadly', 0, [file]), job('backprop', 0)], 1)
  expect(results.map(({ status, error }) => [status, error])).toEqual([
    ['failed', 'its process ended (SIGKILL), 3 times'],
    ['finished', undefined],
  ])
  expect(readdirSync(join(folder, 'checkpoints'))).toHaveLength(1) // of the finished one, for its owner to remove
})
