import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
afterEach(() => rmSync(folder, { recursive: true }))

/** Runs the command from its sources. `watch` sees the output as it comes, and may signal the process. */
function bench(args: string[], watch?: (output: string, kill: (signal: NodeJS.Signals) => void) => void) {
  const child = spawn(
    process.execPath,
    ['--conditions=@tfgraft/source', '--import', 'tsx', join(packageFolder, 'src', 'cli.ts'), ...args],
    { cwd: packageFolder },
  )
  let output = ''
  const read = (chunk: Buffer) => {
    output += chunk
    watch?.(output, (signal) => child.kill(signal))
  }
  child.stdout.on('data', read)
  child.stderr.on('data', read)
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

it('Ctrl-C leaves a valid partial report, promptly', async () => {
  const out = join(folder, 'run')
  let interruptedAt = 0
  const { code, output } = await bench(
    ['--suite', 'tiny', '--methods', 'backprop', '--epochs', '100000', '--out', out],
    (soFar, kill) => {
      if (interruptedAt || !soFar.includes('drawing the clouds')) return
      interruptedAt = performance.now()
      setTimeout(() => {
        interruptedAt = performance.now()
        kill('SIGINT')
      }, 1500)
    },
  )
  expect(performance.now() - interruptedAt).toBeLessThan(4000) // 2 s, and as much again on a loaded machine
  expect(code).toBe(130)
  expect(output).toContain('Interrupted: the report is partial.')
  const [trial] = readResults(out)
  expect(trial).toMatchObject({ kind: 'trial', status: 'interrupted' })
  const report = readFileSync(join(out, 'index.html'), 'utf8')
  expect(report).toContain('Partial report')
  expect(report).toContain('<svg')
  expect(report.trimEnd().endsWith('</html>')).toBe(true)
})
