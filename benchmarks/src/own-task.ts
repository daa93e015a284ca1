/** Loads a user's task from a file, for `--task ./my-task.ts`. */
import { z } from 'zod'
import { UsageError } from './choices'
import { importOwnFile } from './import-own-file'
import type { Task } from './task'
import { describeIssues } from './zod-issues'

const name = z.string().regex(/^[a-z0-9][a-z0-9.-]*$/, 'must be kebab-case, as file names are')
const metric = z.object({
  name: z.string().min(1),
  title: z.string().min(1),
  better: z.enum(['higher', 'lower']),
  format: z.enum(['percent', 'number']).optional(),
})
const taskShape = z.looseObject({
  name,
  title: z.string().min(1),
  summary: z.string(),
  kind: z.enum(['supervised', 'agent']),
  epochTitle: z.string().optional(),
  epochs: z.int().positive(),
  metrics: z.array(metric).min(1),
  target: z.number().optional(),
  settings: z.record(
    z.string(),
    z.looseObject({
      chosen: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
      grid: z.array(z.looseObject({})),
      validated: z.boolean(),
    }),
  ),
  load: z.function(),
})

/** The default export of `path`: a `Task`, see `@tfgraft/bench/task`. TypeScript files are compiled as they are loaded. */
export async function loadOwnTask(path: string): Promise<Task> {
  const task = await importOwnFile('--task', path)
  const checked = taskShape.safeParse(task)
  if (!checked.success)
    throw new UsageError(
      `--task ${path}: the default export must be a Task. ${describeIssues(checked.error, task)}`,
    )
  return task as Task
}
