/** Trials in child processes of this machine, as many at once as there are cores. */

import { failedTrial } from './failed-trial'
import { type Job, jobTitle } from './job'
import { type HandleOptions, ProcessDied, type ProcessHandle, startProcess } from './process-handle'
import { maxAttempts, type QueueWatch, type TrialQueue } from './trial-queue'

export interface LocalPoolOptions extends Pick<HandleOptions, 'checkpoints' | 'checkpointSeconds'> {
  /** Processes. */
  workers: number
}

export function localPool({ workers, ...storage }: LocalPoolOptions): TrialQueue {
  const idle: ProcessHandle[] = []

  async function runOne(job: Job, watch: QueueWatch): Promise<void> {
    const { signal, onStart, onProgress, onResult, log } = watch
    onStart(job)
    for (let attempt = 1; ; attempt++) {
      const process = idle.pop() ?? startProcess()
      try {
        const result = await process.run(job, {
          ...storage,
          signal,
          onProgress: (progress) => onProgress(job, progress),
          log: (line) => log(job, line),
        })
        idle.push(process)
        return await onResult(job, result)
      } catch (error) {
        process.stop()
        if (signal.aborted) return
        if (!(error instanceof ProcessDied)) throw error
        if (attempt === maxAttempts) {
          if (job.kind === 'steps') throw new Error(`${jobTitle(job)}: ${error.message}`)
          return await onResult(job, failedTrial(job, `${error.message}, ${attempt} times`))
        }
        log(job, `${error.message}; it is run again from its last checkpoint`)
      }
    }
  }

  return {
    async run(jobs, watch) {
      const trials = jobs.filter(({ kind }) => kind === 'trial')
      // In order, so that jobs with the same data follow each other in a process.
      let next = 0
      const lane = async () => {
        while (next < trials.length && !watch.signal.aborted) await runOne(trials[next++]!, watch)
      }
      await Promise.all(Array.from({ length: Math.min(workers, trials.length) }, lane))
      // Step times want the machine for themselves.
      for (const job of jobs) if (job.kind === 'steps' && !watch.signal.aborted) await runOne(job, watch)
    },
    close: async () => {
      for (const process of idle.splice(0)) process.stop()
    },
  }
}
