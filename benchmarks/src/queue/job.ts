/** What a queue runs: everything that a process on any machine needs to make one result, as plain data. */
import type { StepTimesRecord, TrialConfig, TrialRecord } from '../results'
import type { Hyperparameters } from '../task'

/** Where methods and tasks that are not built in come from: files of the user, relative to the working directory. */
export interface OwnFiles {
  methods: readonly string[]
  tasks: readonly string[]
}

interface JobBase {
  /** Of the result. Equal jobs have equal ids. */
  id: string
  backend: string
  own: OwnFiles
}

/** Train one method on one task from one seed. */
export interface TrialJob extends JobBase {
  kind: 'trial'
  config: TrialConfig
  tuned: boolean
  command: string
}

/** Measure the step times of several methods in turns. */
export interface StepsJob extends JobBase {
  kind: 'steps'
  task: string
  evaluateOn: 'test' | 'validation'
  limit?: number
  /** The first is the baseline. */
  contestants: readonly { method: string; hyperparameters: Hyperparameters }[]
}

export type Job = TrialJob | StepsJob

/** What a job results in. An interrupted measurement of step times results in nothing. */
export type JobResult = TrialRecord | StepTimesRecord | undefined

/** As it stands in logs. */
export const jobTitle = (job: Job): string =>
  job.kind === 'trial'
    ? `${job.config.task} ${job.config.method} seed ${job.config.seed}`
    : `${job.task} step times, in turns`
