/** Suites in a file of one's own, for `--config suite.yaml`: what the command line says, and per task. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, extname, relative, resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { UsageError } from './choices'
import { importOwnFile } from './import-own-file'
import { describeIssues } from './zod-issues'

const positive = z.int().positive()
const setting = z.union([z.number(), z.string(), z.boolean()])
const entry = z.strictObject({
  /** A built-in task, or one of `tasks`. */
  task: z.string(),
  /** Beside the baseline; `a+b` is a composition. Without: all methods that the task has settings for. */
  methods: z.array(z.string()).min(1).optional(),
  epochs: positive.optional(),
  limit: positive.optional(),
  /** Hyperparameters by method, over those that the task has chosen. */
  settings: z.record(z.string(), z.record(z.string(), setting)).optional(),
})

const suite = z.strictObject({
  entries: z.array(entry).min(1),
  /** A count, or a list. */
  seeds: z.union([positive, z.array(z.int().nonnegative()).min(1)]).optional(),
  backend: z.string().optional(),
  /** Files with methods and tasks of one's own, relative to this file. */
  methods: z.array(z.string()).default([]),
  tasks: z.array(z.string()).default([]),
})

/** What a suite file holds; the default export of a TypeScript one. */
export type SuiteConfig = z.input<typeof suite>

/**
 * Reads and checks a suite file: YAML (or JSON, which is YAML), or a module whose default export is the suite.
 *
 * @throws {UsageError} Naming the path within the file and the value.
 */
export async function loadSuiteConfig(path: string): Promise<z.output<typeof suite>> {
  const received = await readConfig(path)
  const checked = suite.safeParse(received)
  if (!checked.success) throw new UsageError(`--config ${path}: ${describeIssues(checked.error, received)}`)
  const here = (file: string) => relative('.', resolve(dirname(path), file))
  return { ...checked.data, methods: checked.data.methods.map(here), tasks: checked.data.tasks.map(here) }
}

async function readConfig(path: string): Promise<unknown> {
  if (/^\.[cm]?[jt]s$/.test(extname(path))) return importOwnFile('--config', path)
  if (!existsSync(path)) throw new UsageError(`--config ${path}: there is no such file.`)
  try {
    return parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new UsageError(`--config ${path}: ${(error as Error).message}`)
  }
}
