/**
 * Runs the documentation. Each example is written to `.cache/examples` of its package and imported there, so that
 * it resolves imports as the package's own files do, at its own line number, so that errors point at the source.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-layers' // registers tfjs's gradients
import { useBackend } from '@tfgraft/backends'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { exportsWithoutExample } from './documented-exports'
import { packageExamples } from './example-blocks'

export interface DescribeExamplesOptions {
  /** Exported functions and classes that need no example of their own. @default [] */
  withoutExample?: readonly string[]
}

/**
 * One test per ```` ```ts ```` block of the README and per `@example` block of `src`, each run as an ES module with
 * top-level await on wasm (unless it selects another backend), and one test that every exported function and class
 * has an `@example`. Fences with further words (```` ```ts no-run ````) are not run.
 *
 * ```ts
 * // packages/<name>/src/examples.test.ts
 * import { describeExamples } from '@tfgraft/testing/examples'
 * describeExamples(new URL('..', import.meta.url))
 * ```
 */
export function describeExamples(
  packageRoot: URL,
  { withoutExample = [] }: DescribeExamplesOptions = {},
): void {
  const root = fileURLToPath(packageRoot)
  const folder = join(root, '.cache', 'examples')
  const run = (path: string) => import(/* @vite-ignore */ pathToFileURL(path).href)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })

  describe('examples', () => {
    beforeEach(async () => {
      await useBackend('wasm')
      vi.spyOn(console, 'log').mockImplementation(() => {})
      return () => vi.restoreAllMocks()
    })

    for (const { file, line, code } of packageExamples(root)) {
      it(`${file}:${line} runs`, async () => {
        const path = join(folder, `${file.replaceAll(/[\\/]/g, '-')}-${line}.ts`)
        writeFileSync(path, `${'\n'.repeat(line - 1)}${code}\n`)
        await run(path)
      })
    }

    it('every exported function and class has an example', async () => {
      const exported: Record<string, unknown> = await run(join(root, 'src', 'index.ts'))
      const callable = Object.keys(exported).filter((name) => typeof exported[name] === 'function')
      expect(exportsWithoutExample(root, callable)).toEqual([...withoutExample])
    })
  })
}
