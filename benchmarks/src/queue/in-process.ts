/** The queue without processes: one job after the other, here. For debuggers and profilers, and for tests. */
import { type Catalogue, jobRunner, type RunJobOptions } from './run-job'
import type { TrialQueue } from './trial-queue'

export function inProcessQueue(
  storage: Pick<RunJobOptions, 'checkpoints' | 'checkpointSeconds'> = {},
  catalogue?: Catalogue,
): TrialQueue {
  const runner = jobRunner(catalogue)
  return {
    async run(jobs, { signal, onStart, onProgress, onResult, log }) {
      for (const job of jobs) {
        if (signal.aborted) return
        onStart(job)
        const result = await runner.run(job, {
          ...storage,
          signal,
          onProgress: (progress) => onProgress(job, progress),
          log: (line) => log(job, line),
        })
        await onResult(job, result)
      }
    },
    close: async () => runner.dispose(),
  }
}
