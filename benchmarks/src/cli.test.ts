import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readResults } from './results'

const packageFolder = fileURLToPath(new URL('..', import.meta.url))

let folder: string
beforeEach(() => {
  // Inside the package, so that a method of one's own resolves its imports here as it would in a user's project.
  mkdirSync(join(packageFolder, '.cache'), { recursive: true })
  folder = mkdtempSync(join(packageFolder, '.cache', 'cli-'))
})
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL') // what a test that failed has left
  rmSync(folder, { recursive: true })
})

/** Runs the command from its sources. `meanwhile` may signal the process. */
function bench(args: string[], meanwhile?: (kill: (signal: NodeJS.Signals) => void) => void) {
  const child = spawn(
    process.execPath,
    ['--conditions=@tfgraft/source', '--import', 'tsx', join(packageFolder, 'src', 'cli.ts'), ...args],
    { cwd: packageFolder },
  )
  children.push(child)
  let output = ''
  const read = (chunk: Buffer) => {
    output += chunk
  }
  child.stdout.on('data', read)
  child.stderr.on('data', read)
  meanwhile?.((signal) => child.kill(signal))
  return new Promise<{ code: number | null; output: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, output }))
  })
}

it.each([
  [['--suite', 'slow'], "unknown suite 'slow'. Choose from: quick,"],
  [['--backend', 'tpu'], '--backend tpu: useBackend: `name` must be one of'],
  [['frobnicate'], "unknown command 'frobnicate'. Choose from: run, worker, render, compare, tune, list."],
])('%j is refused with the value and the choices, without a stack', async (args, message) => {
  const { code, output } = await bench(args)
  expect(output).toContain(`tfgraft-bench: ${message}`)
  expect(output).not.toContain('    at ')
  expect(code).toBe(2)
})

it('--help explains commands, options and choices', async () => {
  const { code, output } = await bench(['--help'])
  for (const text of ['--suite', '--out', 'compare', 'Suites', 'mnist-mlp-512', 'Examples'])
    expect(output).toContain(text)
  expect(code).toBe(0)
})

it('runs, renders again without training, and compares with itself', async () => {
  const out = join(folder, 'run')
  const run = await bench(['--suite', 'tiny', '--seeds', '2', '--epochs', '1', '--out', out])
  expect(run.output).toContain('test accuracy')
  expect(run.code).toBe(0)
  const report = readFileSync(join(out, 'index.html'), 'utf8')
  rmSync(join(out, 'index.html'))
  const rendered = await bench(['render', out])
  expect(rendered.output).toContain('Two clouds, 2-8-2: 1 epoch, 2 seeds')
  expect(readFileSync(join(out, 'index.html'), 'utf8')).toBe(report)
  const compared = await bench(['compare', out, out])
  expect(compared.output).toContain('0 regressions beyond 5 %')
  expect(compared.code).toBe(0)
})

it('a method from a TypeScript file runs beside the built-in ones', async () => {
  const file = join(folder, 'gentle.ts')
  writeFileSync(
    file,
    `import { identity, type Method } from '@tfgraft/core'
import * as tf from '@tensorflow/tfjs-core'

const gentle: Method = {
  name: 'gentle',
  paper: identity.paper,
  apply: (setup) => ({ ...setup, optimizer: tf.train.sgd(0.03) }),
}
export default gentle
`,
  )
  const out = join(folder, 'run')
  const { code, output } = await bench(['--suite', 'tiny', '--method', file, '--out', out])
  expect(output).toMatch(/gentle +\d+\.\d+ %/)
  expect(code).toBe(0)
  writeFileSync(file, 'export default 42')
  const refused = await bench(['--suite', 'tiny', '--method', file, '--out', out])
  expect(refused.output).toContain('the default export must be a Method')
  expect(refused.code).toBe(2)
})

it('Ctrl-C ends a training of hours within the step, and leaves a valid partial report', async () => {
  const out = join(folder, 'run')
  const checkpoints = join(out, 'checkpoints')
  const training = ['--suite', 'tiny', '--methods', 'backprop', '--epochs', '10000000', '--out', out]
  // Once it has been saved for the first time it is in the middle of its steps, however slow the machine.
  const { code, output } = await bench([...training, '--checkpoint-seconds', '0'], async (kill) => {
    while (!existsSync(checkpoints) || readdirSync(checkpoints).length === 0) await setTimeout(50)
    kill('SIGINT')
  })
  expect(code).toBe(130)
  expect(output).toContain('Interrupted: the report is partial.')
  const [trial] = readResults(out)
  expect(trial).toMatchObject({ kind: 'trial', status: 'interrupted' })
  const report = readFileSync(join(out, 'index.html'), 'utf8')
  expect(report).toContain('Partial report')
  expect(report).toContain('<svg')
  expect(report.trimEnd().endsWith('</html>')).toBe(true)
})
