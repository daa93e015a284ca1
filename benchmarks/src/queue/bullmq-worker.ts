/**
 * Takes trials from a Redis server, and runs them in child processes: this process only talks to the server, so that it renews its
 * locks whatever a training does. (A synchronous training in a worker's own event loop starves the renewal: the job is taken for
 * stalled, runs twice, and ends failed.)
 */
import { hostname } from 'node:os'
import { type Job as BullJob, UnrecoverableError, WaitingError, Worker } from 'bullmq'
import { trialCheckpoint } from '../trial-checkpoint'
import { type Job, type JobResult, jobTitle } from './job'
import { ProcessDied, type ProcessHandle, startProcess } from './process-handle'
import { cancelChannel, cancelledKey, connect, prefix, type QueuedJob, queueName } from './redis'

export interface BullWorkerOptions {
  url: string
  /** Trials at once. */
  workers: number
  /** Folder of checkpoints, best on storage that all workers share. */
  checkpoints: string
  checkpointSeconds?: number
  /** A trial whose worker has been silent for this long goes to another. */
  lockSeconds: number
  /** Stops taking jobs, and gives those at work back to the queue, with a checkpoint. */
  signal: AbortSignal
  log: (line: string) => void
}

/** Least milliseconds between two reports of progress of a trial. */
const reportEveryMs = 1000
/** How often a trial may lose its worker. Losing one is nobody's fault but the machine's. */
const maxStalledCount = 20

/** Works until `signal` aborts. */
export async function bullWorker(options: BullWorkerOptions): Promise<void> {
  const { url, workers, lockSeconds, signal, log } = options
  const connection = await connect(url)
  const idle: ProcessHandle[] = []
  /** Stops the jobs at work, by run. */
  const atWork = new Map<AbortController, string>()

  const subscriber = connection.duplicate()
  await subscriber.subscribe(cancelChannel)
  subscriber.on('message', (_channel: string, run: string) => {
    for (const [controller, of] of atWork) if (of === run) controller.abort('cancelled')
  })

  const worker = new Worker<QueuedJob, JobResult | null>(
    queueName,
    async (queued, token) => {
      const { run, job } = queued.data
      if (await connection.exists(cancelledKey(run))) return null
      const controller = new AbortController()
      const onStop = () => controller.abort('stopped')
      signal.addEventListener('abort', onStop)
      if (signal.aborted) onStop()
      atWork.set(controller, run)
      try {
        const result = await runQueued(queued, job, controller.signal, idle, options)
        if (controller.signal.aborted && controller.signal.reason === 'stopped') {
          await queued.moveToWait(token)
          throw new WaitingError()
        }
        return result ?? null
      } finally {
        signal.removeEventListener('abort', onStop)
        atWork.delete(controller)
      }
    },
    {
      connection,
      prefix,
      name: `${hostname()}:${process.pid}`,
      concurrency: workers,
      lockDuration: 1000 * lockSeconds,
      stalledInterval: 500 * lockSeconds,
      maxStalledCount,
    },
  )
  worker.on('error', (error) => log(error.message))
  worker.on('active', ({ data }) => log(`${jobTitle(data.job)}: starts`))
  worker.on('completed', ({ data }, result) => {
    log(`${jobTitle(data.job)}: done`)
    // Only now, when the server has the result: until then another worker may need it.
    if (result?.kind === 'trial' && result.status !== 'interrupted')
      trialCheckpoint(options.checkpoints, data.job.id).remove()
  })
  worker.on('failed', (queued, error) =>
    log(`${queued ? jobTitle(queued.data.job) : 'a job'}: ${error.message}`),
  )

  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await worker.close()
  for (const process of idle) process.stop()
  subscriber.disconnect()
  connection.disconnect()
}

async function runQueued(
  queued: BullJob<QueuedJob>,
  job: Job,
  signal: AbortSignal,
  idle: ProcessHandle[],
  { checkpoints, checkpointSeconds, log }: BullWorkerOptions,
): Promise<JobResult> {
  const child = idle.pop() ?? startProcess()
  let last = 0
  try {
    const result = await child.run(job, {
      checkpoints,
      ...(checkpointSeconds === undefined ? {} : { checkpointSeconds }),
      signal,
      onProgress: (progress) => {
        if (performance.now() - last < reportEveryMs) return
        last = performance.now()
        queued.updateProgress({ ...progress }).catch(() => {}) // the lock tells whether the server still counts on us
      },
      log: (line) => log(`${jobTitle(job)}: ${line}`),
    })
    idle.push(child)
    return result
  } catch (error) {
    child.stop()
    // Another attempt, perhaps by a machine with more memory. Whatever else goes wrong would do so anywhere.
    if (error instanceof ProcessDied) throw error
    throw new UnrecoverableError((error as Error).message)
  }
}
