/** The options of `run`, and what they mean. */
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ArgsDef } from 'citty'
import { choose, UsageError, unknownChoice } from '../choices'
import { builtInMethods, type MethodEntry, resolveMethods, settingsFor } from '../methods'
import { loadOwnMethod } from '../own-method'
import { loadOwnTask } from '../own-task'
import type { OwnFiles } from '../queue/job'
import type { SuiteEntry } from '../run-suite'
import type { loadSuiteConfig } from '../suite-config'
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
    description: 'Adds methods of your own: files (with commas) whose default export is a Method.',
  },
  task: {
    type: 'string',
    valueHint: './my-task.ts',
    description: 'Runs on tasks of your own: files (with commas) whose default export is a Task.',
  },
  config: {
    type: 'string',
    valueHint: 'suite.yaml',
    description: 'A suite of your own: tasks, methods and settings in YAML or TypeScript.',
  },
  backend: {
    type: 'string',
    valueHint: 'wasm|cpu|webgpu|cuda|node|webgl|auto',
    description: 'Where tensors live and kernels run. Default: wasm.',
  },
  seeds: {
    type: 'string',
    valueHint: 'n|s,t',
    description: 'How many seeds (from 0), or a list with a comma. Several give 95 % intervals. Default: 1.',
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
  workers: {
    type: 'string',
    valueHint: 'n',
    description:
      'Trials at once, in a process each. 0: in this process, one after the other. Default: one per core on wasm and cpu, else 1.',
  },
  queue: {
    type: 'string',
    valueHint: 'redis://host:6379',
    description: 'Run the trials on the machines that run `tfgraft-bench worker` with the same address.',
  },
  'checkpoint-seconds': {
    type: 'string',
    valueHint: 'n',
    description: 'How often a trial under way is saved. Default: 30.',
  },
  'step-times': {
    type: 'boolean',
    default: true,
    description: 'Measure step times in turns, for the ratio column.',
    negativeDescription: 'Take ratios from the trainings.',
  },
} as const satisfies ArgsDef

/** An integer from the command line, or `undefined` when the option is absent. */
export function integerFrom(least: 0 | 1, option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const number = Number(value)
  if (value.trim() === '' || !Number.isInteger(number) || number < least)
    throw new UsageError(
      `--${option} must be ${least ? 'a positive integer' : 'an integer from 0'}. Received '${value}'.`,
    )
  return number
}

export const positiveInteger = (option: string, value: string | undefined) => integerFrom(1, option, value)

/** `3` is the seeds 0, 1, 2; `4,7` is these two, and `4,` this one. */
export function parseSeeds(value: string): number[] {
  if (!value.includes(',')) return Array.from({ length: positiveInteger('seeds', value)! }, (_, seed) => seed)
  const seeds = value
    .split(',')
    .filter((seed) => seed.trim() !== '')
    .map((text) => {
      const seed = Number(text)
      if (!Number.isInteger(seed) || seed < 0)
        throw new UsageError(`--seeds must be a count or integers from 0. Received '${value}'.`)
      return seed
    })
  if (seeds.length === 0) throw new UsageError(`--seeds must name a seed. Received '${value}'.`)
  return [...new Set(seeds)]
}

/** Names of files, with commas. */
export const fileList = (value: string | undefined): string[] =>
  (value ?? '')
    .split(',')
    .map((file) => file.trim())
    .filter(Boolean)

/** Methods and tasks of the user's files. */
export interface Own {
  methods: readonly MethodEntry[]
  tasks: readonly Task[]
}

/** Loads the user's files. Their names must be new. */
export async function loadOwn({ methods, tasks: taskFiles }: OwnFiles): Promise<Own> {
  const own = {
    methods: await Promise.all(methods.map(loadOwnMethod)),
    tasks: await Promise.all(taskFiles.map(loadOwnTask)),
  }
  const names = (entries: readonly { name: string }[]) => entries.map(({ name }) => name)
  for (const [what, all] of [
    ['method', [...names(builtInMethods), ...names(own.methods)]],
    ['task', [...names(tasks), ...names(own.tasks)]],
  ] as const) {
    const twice = all.find((name, index) => all.indexOf(name) !== index)
    if (twice !== undefined) throw new UsageError(`there are two ${what}s of the name '${twice}'.`)
  }
  return own
}

/** Tasks with their contestants, from `--suite`, `--tasks`, `--methods` and the user's own. */
export function resolveEntries(
  {
    suite,
    tasks: taskNames,
    methods,
  }: { suite: string; tasks?: string | undefined; methods?: string | undefined },
  own: Own,
): SuiteEntry[] {
  const [chosen] = choose('suite', suite, suites)
  const ofSuite = new Map(chosen!.entries.map((entry) => [entry.task, entry]))
  const chosenTasks =
    taskNames === undefined
      ? own.tasks.length
        ? own.tasks
        : [...ofSuite.keys()]
      : choose('task', taskNames, [...tasks, ...own.tasks])
  const ownNames = own.methods.map(({ name }) => name)
  return chosenTasks.map((task) => {
    // A task from outside the suite meets the methods that have settings for it.
    const { methods: inSuite, ...entry } = ofSuite.get(task) ?? {}
    const names = methods ?? inSuite ?? Object.keys(task.settings).join(',')
    return { ...entry, ...entryOf(task, [names, ...ownNames].join(','), own) }
  })
}

/** The same from a suite file. */
export function entriesOfConfig(config: Awaited<ReturnType<typeof loadSuiteConfig>>, own: Own): SuiteEntry[] {
  const twice = config.entries.find(
    ({ task }, index) => config.entries.findIndex((e) => e.task === task) !== index,
  )
  if (twice) throw new UsageError(`entries: each task may stand once. Received '${twice.task}' twice.`)
  return config.entries.map(({ task: name, methods, settings = {}, epochs, limit }) => {
    const [task] = choose('task', name, [...tasks, ...own.tasks]) as [Task]
    const entry = entryOf(task, methods?.join(',') ?? Object.keys(task.settings).join(','), own)
    const unused = Object.keys(settings).find(
      (method) => !entry.contestants.some((contestant) => contestant.method.name === method),
    )
    if (unused !== undefined)
      throw unknownChoice(
        `method in the settings of '${name}'`,
        unused,
        entry.contestants.map(({ method }) => method.name),
      )
    return {
      ...entry,
      ...(epochs === undefined ? {} : { epochs }),
      ...(limit === undefined ? {} : { limit }),
      contestants: entry.contestants.map((contestant) => {
        const given = settings[contestant.method.name]
        if (!given) return contestant
        const hyperparameters = { ...contestant.hyperparameters, ...given }
        return { ...contestant, hyperparameters, tuned: false }
      }),
    }
  })
}

function entryOf(task: Task, names: string, own: Own): SuiteEntry {
  const all = [...builtInMethods, ...own.methods]
  const entries = resolveMethods(names, all)
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
}

/** `benchmarks/results/<time>-<suite>`, beside the built command or else in the working directory. */
export function defaultOut(suite: string): string {
  const packageFolder = join(dirname(fileURLToPath(import.meta.url)), '..')
  const home = existsSync(join(packageFolder, 'package.json')) ? packageFolder : resolve('benchmarks')
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '-')
  return join(home, 'results', `${time}-${suite}`)
}
