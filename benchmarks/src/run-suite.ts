/** Runs tasks x methods x seeds in order, skipping what a results folder already has, and keeps its report current. */
import { environment } from './environment'
import type { MethodEntry } from './methods'
import type { ProgressDisplay } from './progress'
import { writeReport } from './report/write-report'
import { appendResult, type ResultRecord, readResults, type TrialConfig, type TrialRecord } from './results'
import { measureSteps } from './step-times'
import type { Hyperparameters, LoadedTask, Task } from './task'
import { runTrial, trialId } from './trial'

/** A method with the hyperparameters that it runs with. */
export interface Contestant {
  method: MethodEntry
  hyperparameters: Hyperparameters
  /** Whether they were chosen for this method on this task. */
  tuned: boolean
}

export interface RunSuiteOptions {
  /** The first contestant is the baseline of the step times. */
  entries: readonly { task: Task; contestants: readonly Contestant[] }[]
  seeds: readonly number[]
  /** Instead of each task's own. */
  epochs?: number
  limit?: number
  backend: string
  evaluateOn?: 'test' | 'validation'
  /** Measure step times in turns, for the ratios. @default true */
  stepTimes?: boolean
  /** Keep `index.html` and `summary.md` current. @default true */
  report?: boolean
  out: string
  command: string
  signal: AbortSignal
  display: ProgressDisplay
  log: (line: string) => void
}

/** What is left to do for one task. */
interface TaskPlan {
  task: Task
  contestants: readonly Contestant[]
  trials: { contestant: Contestant; config: TrialConfig; id: string }[]
  stepsId: string | undefined
}

/** @returns The trials that failed. */
export async function runSuite(options: RunSuiteOptions): Promise<TrialRecord[]> {
  const { out, signal, log, display, command } = options
  const machine = environment()
  const done = new Set(
    readResults(out)
      .filter((record) => record.kind === 'steps' || isDone(record))
      .map(({ id }) => id),
  )
  const failed: TrialRecord[] = []
  const record = async (result: ResultRecord) => {
    appendResult(out, result)
    if (options.report ?? true) await writeReport(out)
  }

  for (const plan of options.entries.map((entry) => planTask(entry, options))) {
    const trials = plan.trials.filter(({ id }) => !done.has(id))
    const skipped = plan.trials.length - trials.length
    if (skipped) log(`${plan.task.name}: ${skipped} of ${plan.trials.length} trials are already in ${out}`)
    const measure = plan.stepsId !== undefined && !done.has(plan.stepsId)
    if ((trials.length === 0 && !measure) || signal.aborted) continue
    const loaded = await plan.task.load({
      evaluateOn: options.evaluateOn ?? 'test',
      ...(options.limit === undefined ? {} : { limit: options.limit }),
      onProgress: (message) => log(`${plan.task.name}: ${message}`),
    })
    try {
      for (const { contestant, config, id } of trials) {
        if (signal.aborted) break
        const title = `${config.task} ${config.method} seed ${config.seed}`
        display.start(title)
        const method = contestant.method.create(config.hyperparameters)
        const outcome = await runTrial(plan.task, loaded, method, config, {
          signal,
          onProgress: display.update,
        })
        display.stop()
        const result: TrialRecord = {
          kind: 'trial',
          id,
          config,
          tuned: contestant.tuned,
          ...outcome,
          date: new Date().toISOString(),
          environment: machine,
          command,
        }
        await record(result)
        if (result.status === 'failed') failed.push(result)
        log(`${title}: ${summary(plan.task, result)}`)
      }
      if (measure && !signal.aborted) await measureAndRecord(plan, loaded, options, machine, record)
    } finally {
      loaded.dispose()
    }
  }
  return failed
}

/** A finished trial is never run again; an interrupted or failed one is. */
const isDone = (record: ResultRecord) =>
  record.kind === 'trial' && (record.status === 'finished' || record.status === 'diverged')

function planTask(
  { task, contestants }: RunSuiteOptions['entries'][number],
  { seeds, epochs, limit, backend, evaluateOn = 'test', stepTimes = true }: RunSuiteOptions,
): TaskPlan {
  const trials = seeds.flatMap((seed) =>
    contestants.map((contestant) => {
      const config: TrialConfig = {
        task: task.name,
        method: contestant.method.name,
        seed,
        epochs: epochs ?? task.epochs,
        backend,
        hyperparameters: contestant.hyperparameters,
        evaluateOn,
        ...(limit === undefined ? {} : { limit }),
      }
      return { contestant, config, id: trialId(config) }
    }),
  )
  const names = contestants.map(({ method }) => method.name)
  return {
    task,
    contestants,
    trials,
    stepsId: stepTimes && contestants.length > 1 ? `steps:${task.name}:${backend}:${names}` : undefined,
  }
}

async function measureAndRecord(
  { task, contestants, stepsId }: TaskPlan,
  loaded: LoadedTask,
  { backend, signal, log }: RunSuiteOptions,
  machine: ReturnType<typeof environment>,
  record: (result: ResultRecord) => Promise<void>,
): Promise<void> {
  log(`${task.name}: step times, in turns`)
  const contenders = contestants.map(({ method, hyperparameters }) => ({
    name: method.name,
    method: method.create(hyperparameters),
    hyperparameters,
  }))
  const measured = await measureSteps(loaded, contenders, { signal })
  if (measured)
    await record({
      kind: 'steps',
      id: stepsId!,
      task: task.name,
      backend,
      ...measured,
      date: new Date().toISOString(),
      environment: machine,
    })
}

function summary(task: Task, { status, error, curve, timing }: TrialRecord): string {
  if (status === 'failed') return `failed: ${error}`
  const metric = task.metrics[0]!
  const last = curve.at(-1)
  const value = last ? `${metric.title} ${last.metrics[metric.name]!.toFixed(4)}` : 'nothing evaluated'
  return `${status === 'finished' ? '' : `${status}, `}${value} after ${timing.seconds.at(-1)?.toFixed(1) ?? 0} s`
}
