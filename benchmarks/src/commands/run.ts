/** `tfgraft-bench run`: trains, prints the tables, writes the report. */
import { join, relative } from 'node:path'
import { useBackend } from '@tfgraft/backends'
import { defineCommand } from 'citty'
import { UsageError } from '../choices'
import { loadOwnMethod } from '../own-method'
import { progressDisplay } from '../progress'
import { terminalTable } from '../report/text-table'
import { writeReport } from '../report/write-report'
import { runSuite } from '../run-suite'
import { checkFlags } from './check-flags'
import { interruptSignal } from './interrupt-signal'
import { defaultOut, parseSeeds, positiveInteger, resolveEntries, runArguments } from './run-arguments'

export const run = defineCommand({
  meta: { name: 'run', description: 'Train methods on tasks and compare them (the default command).' },
  args: runArguments,
  async run({ args, rawArgs }) {
    checkFlags(rawArgs, runArguments)
    const seeds = parseSeeds(args.seeds)
    const epochs = positiveInteger('epochs', args.epochs)
    const limit = positiveInteger('limit', args.limit)
    await selectBackend(args.backend)
    const own = args.method === undefined ? [] : [await loadOwnMethod(args.method)]
    const entries = resolveEntries(args, own)
    const out = args.out ?? defaultOut(args.suite)
    const { signal, stopListening } = interruptSignal((line) => console.error(line))
    const failed = await runSuite({
      entries,
      seeds,
      ...(epochs === undefined ? {} : { epochs }),
      ...(limit === undefined ? {} : { limit }),
      backend: args.backend,
      stepTimes: args['step-times'],
      out,
      command: `tfgraft-bench ${rawArgs.join(' ')}`.trim(),
      signal,
      display: progressDisplay(),
      log: (line) => console.error(line),
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

/** Starts the backend that trials run on. */
export async function selectBackend(name: string): Promise<void> {
  try {
    await useBackend(name as Parameters<typeof useBackend>[0])
  } catch (error) {
    throw new UsageError(`--backend ${name}: ${(error as Error).message}`)
  }
}
