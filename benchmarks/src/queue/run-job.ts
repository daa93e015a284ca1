/** Runs jobs in this process. */
import { useBackend } from '@tfgraft/backends'
import { UsageError } from '../choices'
import { environment } from '../environment'
import { builtInMethods, type MethodEntry, resolveMethods } from '../methods'
import { loadOwnMethod } from '../own-method'
import { loadOwnTask } from '../own-task'
import type { TrialRecord } from '../results'
import { measureSteps } from '../step-times'
import { tasks as builtInTasks } from '../suites'
import type { LoadedTask, Task } from '../task'
import { runTrial, type TrialProgress } from '../trial'
import { trialCheckpoint } from '../trial-checkpoint'
import type { Job, JobResult, OwnFiles } from './job'

/** What names in a job stand for. */
export interface Catalogue {
  task(name: string): Task
  method(name: string): MethodEntry
}

export interface RunJobOptions {
  signal: AbortSignal
  onProgress: (progress: TrialProgress) => void
  log: (line: string) => void
  /** Folder of checkpoints. @default no checkpoints */
  checkpoints?: string
  checkpointSeconds?: number
}

export interface JobRunner {
  run(job: Job, options: RunJobOptions): Promise<JobResult>
  dispose(): void
}

/** @param catalogue Instead of what is built in and the files that jobs name. */
export function jobRunner(catalogue?: Catalogue): JobRunner {
  let backend: string | undefined
  /** The data of the last job: most often the next job's too. */
  let current: { key: string; loaded: LoadedTask } | undefined

  const release = () => {
    current?.loaded.dispose()
    current = undefined
  }
  const load = async (
    task: Task,
    evaluateOn: 'test' | 'validation',
    limit: number | undefined,
    job: Job,
    log: RunJobOptions['log'],
  ) => {
    const key = JSON.stringify([task.name, evaluateOn, limit ?? null, job.own])
    if (current?.key !== key) {
      release()
      const options = { evaluateOn, onProgress: (message: string) => log(message) }
      current = { key, loaded: await task.load(limit === undefined ? options : { ...options, limit }) }
    }
    return current.loaded
  }

  return {
    async run(job, options) {
      if (backend !== job.backend) {
        release()
        await selectBackend(job.backend)
        backend = job.backend
      }
      const { task, method } = catalogue ?? (await catalogueWith(job.own))
      const about = { date: new Date().toISOString(), environment: environment() }
      if (job.kind === 'steps') {
        const loaded = await load(task(job.task), job.evaluateOn, job.limit, job, options.log)
        const contenders = job.contestants.map(({ method: name, hyperparameters }) => ({
          name,
          method: method(name).create(hyperparameters),
          hyperparameters,
        }))
        const measured = await measureSteps(loaded, contenders, options)
        const { id, task: taskName } = job
        return measured && { kind: 'steps', id, task: taskName, backend: job.backend, ...measured, ...about }
      }
      const { id, config, tuned, command } = job
      const chosen = task(config.task)
      const loaded = await load(chosen, config.evaluateOn, config.limit, job, options.log)
      const { checkpoints, checkpointSeconds, ...watch } = options
      const outcome = await runTrial(
        chosen,
        loaded,
        method(config.method).create(config.hyperparameters),
        config,
        {
          ...watch,
          ...(checkpoints === undefined
            ? {}
            : { checkpoint: trialCheckpoint(checkpoints, id, checkpointSeconds) }),
        },
      )
      const record: TrialRecord = { kind: 'trial', id, config, tuned, ...outcome, ...about, command }
      return builtInTasks.includes(chosen) ? record : { ...record, about: describe(chosen) }
    },
    dispose: release,
  }
}

const describe = ({
  title,
  summary,
  epochTitle,
  metrics,
  target,
}: Task): NonNullable<TrialRecord['about']> => ({
  title,
  summary,
  metrics: [...metrics],
  ...(epochTitle === undefined ? {} : { epochTitle }),
  ...(target === undefined ? {} : { target }),
})

/** Built-in tasks and methods, and those of the user's files. */
export async function catalogueWith(own: OwnFiles): Promise<Catalogue> {
  const methods = [...builtInMethods, ...(await Promise.all(own.methods.map(loadOwnMethod)))]
  const tasks = [...builtInTasks, ...(await Promise.all(own.tasks.map(loadOwnTask)))]
  return {
    task(name) {
      const found = tasks.find((task) => task.name === name)
      if (!found)
        throw new Error(`task '${name}' is not known here. Received from a queue of another version?`)
      return found
    },
    method: (name) => resolveMethods(name, methods).at(-1)!,
  }
}

/** Starts the backend that trials run on. */
export async function selectBackend(name: string): Promise<void> {
  try {
    await useBackend(name as Parameters<typeof useBackend>[0])
  } catch (error) {
    throw new UsageError(`--backend ${name}: ${(error as Error).message}`)
  }
}
