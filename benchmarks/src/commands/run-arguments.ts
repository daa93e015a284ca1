/** The options of `run`, and what they mean. */
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ArgsDef } from 'citty'
import { choose, UsageError } from '../choices'
import { builtInMethods, type MethodEntry, resolveMethods, settingsFor } from '../methods'
import type { Contestant } from '../run-suite'
import { suites, tasks } from '../suites'
import type { Task } from '../task'

export const runArguments = {
  suite: {
    type: 'string',
    default: 'quick',
    valueHint: suites.map(({ name }) => name).join('|'),
    description: 'A selection of tasks and methods.',
  },
  tasks: { type: 'string', valueHint: 'a,b', description: "Only these tasks, instead of the suite's." },
  methods: {
    type: 'string',
    valueHint: 'a,b+c',
    description: "These methods, instead of the suite's; b+c is a composition. The baseline always runs.",
  },
  method: {
    type: 'string',
    valueHint: './my-method.ts',
    description: 'Adds a method of your own: a file whose default export is a Method.',
  },
  backend: {
    type: 'string',
    default: 'wasm',
    valueHint: 'wasm|cpu|webgpu|cuda|node|webgl|auto',
    description: 'Where tensors live and kernels run.',
  },
  seeds: {
    type: 'string',
    default: '1',
    valueHint: 'n|s,t',
    description: 'How many seeds (from 0), or a list with a comma. Several give 95 % intervals.',
  },
  epochs: {
    type: 'string',
    valueHint: 'n',
    description: "Length of each trial, instead of each task's own.",
  },
  limit: { type: 'string', valueHint: 'n', description: 'At most n training examples: a quick look.' },
  out: {
    type: 'string',
    valueHint: 'folder',
    description:
      'Where results and report go. A folder that has results is resumed. Default: benchmarks/results/<time>-<suite>.',
  },
  'step-times': {
    type: 'boolean',
    default: true,
    description: 'Measure step times in turns, for the ratio column.',
    negativeDescription: 'Take ratios from the trainings.',
  },
} as const satisfies ArgsDef

/** A positive integer from the command line, or `undefined` when the option is absent. */
export function positiveInteger(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const number = Number(value)
  if (!Number.isInteger(number) || number < 1)
    throw new UsageError(`--${option} must be a positive integer. Received '${value}'.`)
  return number
}

/** `3` is the seeds 0, 1, 2; `4,7` is these two, and `4,` this one. */
export function parseSeeds(value: string): number[] {
  if (!value.includes(',')) return Array.from({ length: positiveInteger('seeds', value)! }, (_, seed) => seed)
  return value
    .split(',')
    .filter((seed) => seed.trim() !== '')
    .map((text) => {
      const seed = Number(text)
      if (!Number.isInteger(seed) || seed < 0)
        throw new UsageError(`--seeds must be a count or integers from 0. Received '${value}'.`)
      return seed
    })
}

/** Tasks with their contestants, from `--suite`, `--tasks`, `--methods` and a user's own methods. */
export function resolveEntries(
  {
    suite,
    tasks: taskNames,
    methods,
  }: { suite: string; tasks?: string | undefined; methods?: string | undefined },
  own: readonly MethodEntry[],
): { task: Task; contestants: Contestant[] }[] {
  const all = [...builtInMethods, ...own]
  const [chosen] = choose('suite', suite, suites)
  const inSuite = new Map(chosen!.entries.map((entry) => [entry.task, entry.methods]))
  const chosenTasks = taskNames === undefined ? [...inSuite.keys()] : choose('task', taskNames, tasks)
  const ownNames = own.map(({ name }) => name)
  return chosenTasks.map((task) => {
    // A task from outside the suite meets the methods that have settings for it.
    const names = methods ?? inSuite.get(task) ?? Object.keys(task.settings).join(',')
    const entries = resolveMethods([names, ...ownNames].join(','), all)
    const wrong = entries.find(({ kind }) => kind !== 'any' && kind !== task.kind)
    if (wrong)
      throw new UsageError(
        `method '${wrong.name}' changes ${wrong.kind} setups; that of task '${task.name}' is ${task.kind}. ` +
          `Choose from: ${all
            .filter(({ kind }) => kind === 'any' || kind === task.kind)
            .map(({ name }) => name)
            .join(', ')}.`,
      )
    return {
      task,
      contestants: entries.map((method) => ({ method, ...settingsFor(method.name, task.settings) })),
    }
  })
}

/** `benchmarks/results/<time>-<suite>`, beside the built command or else in the working directory. */
export function defaultOut(suite: string): string {
  const packageFolder = join(dirname(fileURLToPath(import.meta.url)), '..')
  const home = existsSync(join(packageFolder, 'package.json')) ? packageFolder : resolve('benchmarks')
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '-')
  return join(home, 'results', `${time}-${suite}`)
}
