/** Results as the numbers that the terminal table, the Markdown summary and the HTML report show. */
import { baselineName } from '../methods'
import type { ResultRecord, StepTimesRecord, TrialRecord } from '../results'
import { type Estimate, estimate, pairedDifference } from '../statistics'
import type { Task } from '../task'

export interface MethodSummary {
  method: string
  tuned: boolean
  hyperparameters: TrialRecord['config']['hyperparameters']
  trials: TrialRecord[]
  /** Final value of each metric, over seeds; only of trials that finished. */
  metrics: Record<string, Estimate>
  /** The task's first metric minus the baseline's, paired by seed. */
  difference?: Estimate
  /** Mean training loss of each epoch, from the first. */
  trainLoss: Estimate[]
  /** Over seeds: the median step of each training loop. */
  msPerStep?: Estimate
  /** Time per step relative to the baseline, and how it was measured. */
  ratio?: { value: number; quartiles?: [number, number]; from: 'steps in turns' | 'separate trainings' }
  peakBytes?: number
  parameters: number
  /** Training seconds until the first evaluation that reaches the task's target; absent when none does. */
  secondsToTarget?: Estimate
}

export interface TaskSummary {
  task: Task
  epochs: number
  limit?: number
  methods: MethodSummary[]
  seeds: number
  steps?: StepTimesRecord
}

/** Groups the records by task and method, in order of appearance, the baseline first. */
export function summarize(records: readonly ResultRecord[], tasks: readonly Task[]): TaskSummary[] {
  const trials = records.filter((record) => record.kind === 'trial')
  return [...new Set(trials.map(({ config }) => config.task))].map((name) => {
    const ofTask = trials.filter(({ config }) => config.task === name)
    const task = tasks.find((candidate) => candidate.name === name) ?? unknownTask(ofTask[0]!)
    const steps = records.findLast(
      (record): record is StepTimesRecord => record.kind === 'steps' && record.task === name,
    )
    const names = [...new Set(ofTask.map(({ config }) => config.method))].sort(
      (a, b) => Number(b === baselineName) - Number(a === baselineName),
    )
    const of = (method: string) => ofTask.filter(({ config }) => config.method === method)
    const baseline = of(baselineName)
    const { limit } = ofTask[0]!.config
    return {
      task,
      epochs: Math.max(...ofTask.map(({ config }) => config.epochs)),
      ...(limit === undefined ? {} : { limit }),
      seeds: new Set(ofTask.map(({ config }) => config.seed)).size,
      ...(steps ? { steps } : {}),
      methods: names.map((method) => summarizeMethod(task, of(method), baseline, steps)),
    }
  })
}

function summarizeMethod(
  task: Task,
  trials: TrialRecord[],
  baseline: TrialRecord[],
  steps: StepTimesRecord | undefined,
): MethodSummary {
  const { config, tuned, parameters } = trials[0]!
  const finished = trials.filter(({ status }) => status === 'finished')
  const msPerStep = stepOf(finished)
  const baselineMs = stepOf(baseline)
  const inTurns = steps?.methods[config.method]
  const final = (metric: string, of: TrialRecord[]) =>
    new Map(of.map((trial) => [trial.config.seed, trial.curve.at(-1)!.metrics[metric]!]))
  const finishedBaseline = baseline.filter(({ status }) => status === 'finished')
  const first = task.metrics[0]!.name
  const difference =
    config.method === baselineName
      ? undefined
      : pairedDifference(final(first, finished), final(first, finishedBaseline))
  const secondsToTarget = timeToTarget(task, finished)
  return {
    method: config.method,
    tuned,
    hyperparameters: config.hyperparameters,
    trials,
    metrics: finished.length
      ? Object.fromEntries(
          task.metrics.map(({ name }) => [name, estimate([...final(name, finished).values()])]),
        )
      : {},
    ...(difference ? { difference } : {}),
    trainLoss: lossPerEpoch(finished),
    ...(msPerStep === undefined ? {} : { msPerStep }),
    ...(inTurns
      ? {
          ratio: { value: inTurns.ratio, quartiles: inTurns.ratioQuartiles, from: 'steps in turns' as const },
        }
      : msPerStep !== undefined && baselineMs !== undefined
        ? { ratio: { value: msPerStep.mean / baselineMs.mean, from: 'separate trainings' as const } }
        : {}),
    ...peak(finished),
    parameters,
    ...(secondsToTarget ? { secondsToTarget } : {}),
  }
}

const stepOf = (trials: TrialRecord[]): Estimate | undefined => {
  const times = trials.flatMap(({ timing }) => timing.msPerStep ?? [])
  return times.length ? estimate(times) : undefined
}

function lossPerEpoch(trials: TrialRecord[]): Estimate[] {
  const epochs = Math.max(0, ...trials.map(({ curve }) => curve.length - 1))
  return Array.from({ length: epochs }, (_, epoch) =>
    estimate(trials.flatMap(({ curve }) => curve[epoch + 1]?.trainLoss ?? [])),
  )
}

function peak(trials: TrialRecord[]): { peakBytes?: number } {
  const values = trials.flatMap(({ peakBytes }) => peakBytes ?? [])
  return values.length ? { peakBytes: Math.max(...values) } : {}
}

function timeToTarget({ metrics, target }: Task, trials: TrialRecord[]): Estimate | undefined {
  if (target === undefined) return undefined
  const { name, better } = metrics[0]!
  const times = trials.map(({ curve, timing }) => {
    const index = curve.findIndex((point) =>
      better === 'higher' ? point.metrics[name]! >= target : point.metrics[name]! <= target,
    )
    return index < 0 ? undefined : timing.seconds[index]!
  })
  if (times.length === 0 || times.some((time) => time === undefined)) return undefined
  return estimate(times as number[])
}

/** Stands in for a task that this version does not know (a user's, or one of an older run), so that its results show. */
function unknownTask({ config, curve, about }: TrialRecord): Task {
  const names = Object.keys(curve[0]?.metrics ?? { loss: 0 })
  return {
    name: config.task,
    title: config.task,
    kind: 'supervised',
    summary: 'This task is not part of this version of tfgraft-bench.',
    epochs: config.epochs,
    metrics: names.map((name) => ({
      name,
      title: name,
      better: /loss|error/.test(name) ? 'lower' : 'higher',
    })),
    ...about,
    settings: {},
    load: () => Promise.reject(new Error(`${config.task}: unknown task.`)),
  }
}
