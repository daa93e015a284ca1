/** `tfgraft-bench run`: trains, prints the tables, writes the report. */
import { basename, extname, join, relative } from 'node:path'
import { defineCommand } from 'citty'
import { UsageError } from '../choices'
import { progressDisplay } from '../progress'
import { selectBackend } from '../queue/run-job'
import { terminalTable } from '../report/text-table'
import { writeReport } from '../report/write-report'
import { runSuite } from '../run-suite'
import { loadSuiteConfig } from '../suite-config'
import { checkFlags } from './check-flags'
import { interruptSignal } from './interrupt-signal'
import { openQueue } from './open-queue'
import {
  defaultOut,
  entriesOfConfig,
  fileList,
  loadOwn,
  parseSeeds,
  positiveInteger,
  resolveEntries,
  runArguments,
} from './run-arguments'

export const run = defineCommand({
  meta: { name: 'run', description: 'Train methods on tasks and compare them (the default command).' },
  args: runArguments,
  async run({ args, rawArgs }) {
    checkFlags(rawArgs, runArguments)
    const config = args.config === undefined ? undefined : await loadSuiteConfig(args.config)
    if (config && (args.tasks ?? args.methods) !== undefined)
      throw new UsageError('--config has tasks and methods of its own. Received --tasks or --methods too.')
    const seeds = seedsOf(args.seeds, config?.seeds)
    const epochs = positiveInteger('epochs', args.epochs)
    const limit = positiveInteger('limit', args.limit)
    const backend = args.backend ?? config?.backend ?? 'wasm'
    await selectBackend(backend) // a wrong one is an error now, not one of every trial
    const files = {
      methods: [...(config?.methods ?? []), ...fileList(args.method)],
      tasks: [...(config?.tasks ?? []), ...fileList(args.task)],
    }
    const own = await loadOwn(files)
    const entries = config ? entriesOfConfig(config, own) : resolveEntries(args, own)
    const name = args.config === undefined ? args.suite : basename(args.config, extname(args.config))
    const out = args.out ?? defaultOut(name)
    const queue = await openQueue(args, backend, out)
    const display = progressDisplay()
    const { signal, stopListening } = interruptSignal(display.log)
    const failed = await runSuite({
      entries,
      seeds,
      ...(epochs === undefined ? {} : { epochs }),
      ...(limit === undefined ? {} : { limit }),
      backend,
      own: files,
      stepTimes: args['step-times'],
      queue,
      out,
      command: `tfgraft-bench ${rawArgs.join(' ')}`.trim(),
      signal,
      display,
      log: display.log,
    }).finally(async () => {
      display.close()
      await queue.close()
    })
    stopListening()
    const summaries = await writeReport(out)
    console.log(`\n${summaries.map(terminalTable).join('\n\n')}\n`)
    console.log(`report: ${join(relative(process.cwd(), out) || '.', 'index.html')}`)
    if (signal.aborted) {
      console.log('Interrupted: the report is partial. The same command with this --out goes on from here.')
      process.exitCode = 130
    } else if (failed.length) process.exitCode = 1
  },
})

function seedsOf(option: string | undefined, config: number | readonly number[] | undefined): number[] {
  if (option !== undefined) return parseSeeds(option)
  if (config === undefined) return [0]
  return typeof config === 'number' ? parseSeeds(String(config)) : [...config]
}
