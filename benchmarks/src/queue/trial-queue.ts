/**
 * Where trials run. Implementations: in this process (`in-process.ts`), in child processes of this machine (`local-pool.ts`, the
 * default), and on any number of machines (`bullmq-queue.ts`).
 */
import type { TrialProgress } from '../trial'
import type { Job, JobResult } from './job'

export interface QueueWatch {
  /** Stops all jobs after their current step. */
  signal: AbortSignal
  onStart(job: Job): void
  onProgress(job: Job, progress: TrialProgress): void
  /** Once per job, unless the queue is stopped before. Awaited, so that a result is on disk before the next is asked for. */
  onResult(job: Job, result: JobResult): void | Promise<void>
  /** Whatever a user should know: retries, workers that come and go, output of trials. */
  log(job: Job, line: string): void
}

export interface TrialQueue {
  /**
   * Runs jobs, many at once where it can. Trials whose process dies are run again from their last checkpoint. Resolves once every
   * job has its result, or soon after `signal` aborts.
   */
  run(jobs: readonly Job[], watch: QueueWatch): Promise<void>
  close(): Promise<void>
}

/** How often a trial is tried: what kills its process three times will do so again. */
export const maxAttempts = 3
