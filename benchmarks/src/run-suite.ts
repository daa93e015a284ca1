/** Runs tasks x methods x seeds on a queue, skipping what a results folder already has, and keeps its report current. */
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { MethodEntry } from './methods'
import type { ProgressDisplay } from './progress'
import { type Job, jobTitle, type OwnFiles, type StepsJob, type TrialJob } from './queue/job'
import type { TrialQueue } from './queue/trial-queue'
import { writeReport } from './report/write-report'
import { appendResult, readResults, type TrialConfig, type TrialRecord } from './results'
import type { Hyperparameters, Task } from './task'
import { trialId } from './trial'
import { trialCheckpoint } from './trial-checkpoint'

/** A method with the hyperparameters that it runs with. */
export interface Contestant {
  method: MethodEntry
  hyperparameters: Hyperparameters
  /** Whether they were chosen for this method on this task. */
  tuned: boolean
}

/** A task with those that are compared on it. */
export interface SuiteEntry {
  task: Task
  /** The first is the baseline of the step times. */
  contestants: readonly Contestant[]
  /** Instead of the task's own, and of all data. */
  epochs?: number
  limit?: number
}

export interface RunSuiteOptions {
  entries: readonly SuiteEntry[]
  seeds: readonly number[]
  /** Instead of each entry's. */
  epochs?: number
  limit?: number
  backend: string
  /** Files that methods and tasks of the entries come from. @default none */
  own?: OwnFiles
  evaluateOn?: 'test' | 'validation'
  /** Measure step times in turns, for the ratios. @default true */
  stepTimes?: boolean
  /** Keep `index.html` and `summary.md` current. @default true */
  report?: boolean
  /** Where the jobs run. The caller closes it. */
  queue: TrialQueue
  out: string
  command: string
  signal: AbortSignal
  display: ProgressDisplay
  log: (line: string) => void
}

/** Least milliseconds between two writings of the report, which takes a second or two once there are many trials. */
const reportEveryMs = 10_000

/** Where trials of this machine keep their checkpoints. */
export const checkpointFolder = (out: string): string => join(out, 'checkpoints')

/** @returns The trials that failed. */
export async function runSuite(options: RunSuiteOptions): Promise<TrialRecord[]> {
  const { out, signal, log, display, queue, report = true } = options
  const done = new Set(
    readResults(out)
      .filter((record) => record.kind === 'steps' || isDone(record))
      .map(({ id }) => id),
  )
  const all = options.entries.flatMap((entry) => jobsOf(entry, options))
  const jobs = all.filter(({ id }) => !done.has(id))
  if (jobs.length < all.length)
    log(`${all.length - jobs.length} of ${all.length} results are already in ${out}`)
  const tasks = new Map(options.entries.map(({ task }) => [task.name, task]))
  const failed: TrialRecord[] = []
  let reportedAt = Number.NEGATIVE_INFINITY
  await queue.run(jobs, {
    signal,
    onStart: (job) => display.start(job.id, jobTitle(job)),
    onProgress: (job, progress) => display.update(job.id, progress),
    log: (job, line) => {
      writeLog(out, job, line)
      log(`${jobTitle(job)}: ${line}`)
    },
    onResult: async (job, result) => {
      display.stop(job.id)
      if (!result) return
      appendResult(out, result)
      if (result.kind === 'trial') {
        if (isDone(result)) trialCheckpoint(checkpointFolder(out), job.id).remove()
        if (result.status === 'failed') failed.push(result)
        const line = summary(tasks.get(result.config.task)!, result)
        writeLog(out, job, line)
        log(`${jobTitle(job)}: ${line}`)
      }
      if (!report || performance.now() - reportedAt < reportEveryMs) return
      await writeReport(out)
      reportedAt = performance.now()
    },
  })
  if (report && jobs.length) await writeReport(out)
  return failed
}

/** A finished trial is never run again; an interrupted or failed one is. */
const isDone = ({ status }: TrialRecord) => status === 'finished' || status === 'diverged'

/** Seed by seed, so that an interrupted run has comparable trials; the step times of the task last. */
function jobsOf(entry: SuiteEntry, options: RunSuiteOptions): Job[] {
  const { task, contestants } = entry
  const {
    seeds,
    backend,
    evaluateOn = 'test',
    stepTimes = true,
    command,
    own = { methods: [], tasks: [] },
  } = options
  const epochs = options.epochs ?? entry.epochs ?? task.epochs
  const limit = options.limit ?? entry.limit
  const trials = seeds.flatMap((seed) =>
    contestants.map(({ method, hyperparameters, tuned }): TrialJob => {
      const config: TrialConfig = {
        ...{ task: task.name, method: method.name, seed, epochs, backend, hyperparameters, evaluateOn },
        ...(limit === undefined ? {} : { limit }),
      }
      return { kind: 'trial', id: trialId(config), backend, own, config, tuned, command }
    }),
  )
  if (!stepTimes || contestants.length < 2) return trials
  const names = contestants.map(({ method }) => method.name)
  const steps: StepsJob = {
    kind: 'steps',
    id: `steps:${task.name}:${backend}:${names}`,
    ...{ backend, own, evaluateOn, task: task.name },
    ...(limit === undefined ? {} : { limit }),
    contestants: contestants.map(({ method, hyperparameters }) => ({ method: method.name, hyperparameters })),
  }
  return [...trials, steps]
}

/** `logs/<trial>.log`: what its process wrote, where it was taken up, how it ended. */
function writeLog(out: string, { id }: Job, line: string): void {
  const folder = join(out, 'logs')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${id.replaceAll(/[:/,]/g, '_')}.log`)
  appendFileSync(file, `${new Date().toISOString()} ${line}\n`)
}

function summary(task: Task, { status, error, curve, timing }: TrialRecord): string {
  if (status === 'failed') return `failed: ${error}`
  const metric = task.metrics[0]!
  const last = curve.at(-1)
  const value = last ? `${metric.title} ${last.metrics[metric.name]!.toFixed(4)}` : 'nothing evaluated'
  return `${status === 'finished' ? '' : `${status}, `}${value} after ${timing.seconds.at(-1)?.toFixed(1) ?? 0} s`
}
