/** `tfgraft-bench tune`: tries every point of each method's grid on a validation split, and names the best. */
import { defineCommand } from 'citty'
import { choose, UsageError } from '../choices'
import { formatMetric } from '../format'
import { builtInMethods, resolveMethods } from '../methods'
import { progressDisplay } from '../progress'
import { selectBackend } from '../queue/run-job'
import { readResults } from '../results'
import { runSuite } from '../run-suite'
import { estimate } from '../statistics'
import { tasks } from '../suites'
import type { Task } from '../task'
import { checkFlags } from './check-flags'
import { interruptSignal } from './interrupt-signal'
import { openQueue } from './open-queue'
import { parseSeeds, positiveInteger, runArguments } from './run-arguments'

const args = {
  tasks: { type: 'string', required: true, valueHint: 'a,b', description: 'Tasks to tune for.' },
  methods: {
    type: 'string',
    valueHint: 'a,b',
    description: 'Methods to tune. Default: all that have a grid.',
  },
  backend: runArguments.backend,
  seeds: runArguments.seeds,
  epochs: runArguments.epochs,
  limit: runArguments.limit,
  workers: runArguments.workers,
  queue: runArguments.queue,
  'checkpoint-seconds': runArguments['checkpoint-seconds'],
  out: {
    type: 'string',
    required: true,
    valueHint: 'folder',
    description: 'Where results go; resumed if it has some.',
  },
} as const

export const tune = defineCommand({
  meta: {
    name: 'tune',
    description: 'Try the grid of each method on a validation split of the training data.',
  },
  args,
  async run({ args: given, rawArgs }) {
    checkFlags(rawArgs, args)
    const epochs = positiveInteger('epochs', given.epochs)
    const limit = positiveInteger('limit', given.limit)
    const seeds = parseSeeds(given.seeds ?? '1')
    const backend = given.backend ?? 'wasm'
    const chosen = choose('task', given.tasks, tasks)
    await selectBackend(backend)
    const entries = chosen.map((task) => {
      const names = given.methods ?? Object.keys(task.settings).join(',')
      const methods = resolveMethods(names, builtInMethods)
      const contestants = methods.flatMap((method) => {
        const grid = task.settings[method.name]?.grid
        if (!grid) throw new UsageError(`${task.name} has no grid for '${method.name}'.`)
        return grid.map((hyperparameters) => ({ method, hyperparameters, tuned: true }))
      })
      return { task, contestants }
    })
    const queue = await openQueue(given, backend, given.out)
    const display = progressDisplay()
    const { signal, stopListening } = interruptSignal(display.log)
    await runSuite({
      entries,
      seeds,
      ...(epochs === undefined ? {} : { epochs }),
      ...(limit === undefined ? {} : { limit }),
      backend,
      queue,
      evaluateOn: 'validation',
      stepTimes: false,
      report: false,
      out: given.out,
      command: `tfgraft-bench ${rawArgs.join(' ')}`,
      signal,
      display,
      log: display.log,
    }).finally(async () => {
      display.close()
      await queue.close()
    })
    stopListening()
    console.log(chosen.map((task) => gridTable(task, given.out)).join('\n\n'))
    if (signal.aborted) process.exitCode = 130
  },
})

/** Every tried point, the best of each method first. */
export function gridTable(task: Task, folder: string): string {
  const { name, title, better, format } = task.metrics[0]!
  const trials = readResults(folder)
    .filter((record) => record.kind === 'trial')
    .filter(({ config }) => config.task === task.name)
  const describe = ({ config }: (typeof trials)[number]) =>
    `${config.method}  ${JSON.stringify(config.hyperparameters)}`
  const rows = [...new Set(trials.map(describe))].map((point) => {
    const ofPoint = trials.filter((trial) => describe(trial) === point)
    const values = ofPoint.flatMap(({ status, curve }) =>
      status === 'finished' ? curve.at(-1)!.metrics[name]! : [],
    )
    return { point, value: values.length === ofPoint.length ? estimate(values).mean : Number.NaN }
  })
  const rank = ({ value }: { value: number }) =>
    Number.isNaN(value) ? Number.NEGATIVE_INFINITY : better === 'higher' ? value : -value
  rows.sort((a, b) => a.point.split(' ')[0]!.localeCompare(b.point.split(' ')[0]!) || rank(b) - rank(a))
  return [
    `${task.title}: ${title.replace('test', 'validation')}`,
    ...rows.map(
      ({ point, value }) =>
        `${Number.isNaN(value) ? 'did not finish' : formatMetric(value, format)}  ${point}`,
    ),
  ].join('\n')
}
