/**
 * Trials on any number of machines, through BullMQ on a Redis server: this end puts them there and collects the results. Workers
 * (`bullmq-worker.ts`) may come and go. A run that is killed is taken up by the same command: jobs have ids that follow from their
 * content, so nothing is queued twice, and a result stays on the server until it is on disk here.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { type Job as BullJob, Queue, QueueEvents } from 'bullmq'
import type { TrialProgress } from '../trial'
import { failedTrial } from './failed-trial'
import type { Job, JobResult } from './job'
import { cancelChannel, cancelledKey, connect, prefix, type QueuedJob, queueId, queueName } from './redis'
import { maxAttempts, type QueueWatch, type TrialQueue } from './trial-queue'

/** Events may be missed while a connection is down, so the state of all jobs is also read this often. */
const pollMs = 3000
/** How long cancelled trials have for their last step and checkpoint. */
const graceMs = 20_000

export interface BullQueueOptions {
  url: string
  /** Name of the run: runs of other names do not share jobs. */
  run: string
}

export async function bullQueue({ url, run }: BullQueueOptions): Promise<TrialQueue> {
  const connection = await connect(url)
  const queue = new Queue<QueuedJob, JobResult>(queueName, { connection, prefix })
  const eventConnection = connection.duplicate() // blocked by waiting for events; BullMQ leaves closing to its owner
  const events = new QueueEvents(queueName, { connection: eventConnection, prefix })
  await events.waitUntilReady()

  /** Queues what is not there yet; what failed or was interrupted in an earlier run is tried anew. */
  async function add(job: Job): Promise<void> {
    const jobId = queueId(run, job)
    const old = await queue.getJob(jobId)
    if (old && ((await old.isFailed()) || wasInterrupted(old.returnvalue))) await old.remove()
    await queue.add(
      job.kind,
      { run, job },
      {
        jobId,
        attempts: maxAttempts,
        backoff: { type: 'fixed', delay: 1000 },
        // Step times come last: jobs without a priority go first.
        ...(job.kind === 'steps' ? { priority: 10 } : {}),
      },
    )
  }

  async function cancel(pending: ReadonlyMap<string, Job>): Promise<void> {
    await connection.set(cancelledKey(run), '1', 'EX', 86_400)
    await Promise.all(
      [...pending.keys()].map(async (id) => {
        const job = await queue.getJob(id)
        // A job that a worker holds cannot be removed; the worker is told.
        if (job && !(await job.isActive())) await job.remove().catch(() => {})
      }),
    )
    await connection.publish(cancelChannel, run)
  }

  return {
    async run(jobs, watch) {
      const pending = new Map(jobs.map((job) => [queueId(run, job), job]))
      await connection.del(cancelledKey(run))
      for (const job of jobs) await add(job)
      const { signal } = watch
      const collect = collector(queue, pending, watch)
      const stopListening = listen(events, pending, watch, collect)
      const stopped = new Promise<void>((resolve) => {
        if (signal.aborted) resolve()
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
      try {
        let quiet = 0
        while (pending.size && !signal.aborted) {
          await Promise.all([...pending.keys()].map(collect))
          if (pending.size && (await queue.getWorkersCount()) === 0 && quiet++ % 10 === 0)
            watch.log([...pending.values()][0]!, `waits for a worker: tfgraft-bench worker --queue ${url}`)
          if (pending.size) await Promise.race([stopped, pause(pollMs), untilEmpty(pending)])
        }
        if (!signal.aborted) return
        await cancel(pending)
        for (const end = Date.now() + graceMs; pending.size && Date.now() < end; await pause(200)) {
          await Promise.all([...pending.keys()].map(collect))
          for (const id of [...pending.keys()]) if (!(await queue.getJob(id))) pending.delete(id)
        }
      } finally {
        stopListening()
      }
    },
    async close() {
      await events.close()
      await queue.close()
      eventConnection.disconnect()
      connection.disconnect()
    },
  }
}

const wasInterrupted = (result: JobResult | null) =>
  result === null || (result?.kind === 'trial' && result.status === 'interrupted')

async function untilEmpty(pending: ReadonlyMap<string, Job>): Promise<void> {
  for (let waited = 0; pending.size && waited < pollMs; waited += 100) await pause(100)
}

/** Hands the result of a finished job on, once, and then lets the server forget the job. */
function collector(queue: Queue<QueuedJob, JobResult>, pending: Map<string, Job>, watch: QueueWatch) {
  return async (id: string): Promise<void> => {
    const job = pending.get(id)
    const queued: BullJob<QueuedJob, JobResult> | undefined = job && (await queue.getJob(id))
    if (!job || !queued) return
    const state = await queued.getState()
    if (state !== 'completed' && state !== 'failed') return
    // Read anew: the job may have ended between the two questions.
    const { returnvalue, failedReason } = (await queue.getJob(id)) ?? queued
    if (!pending.delete(id)) return // another event was faster
    if (state === 'failed' && job.kind === 'trial') await watch.onResult(job, failedTrial(job, failedReason))
    else if (state === 'failed') watch.log(job, `failed: ${failedReason}`)
    else await watch.onResult(job, returnvalue ?? undefined)
    await queued.remove().catch(() => {}) // another run of the same name has done so
  }
}

/** Progress of all workers, as it comes. */
function listen(
  events: QueueEvents,
  pending: ReadonlyMap<string, Job>,
  { onStart, onProgress, log }: QueueWatch,
  collect: (id: string) => Promise<void>,
): () => void {
  const of = (act: (job: Job, data: unknown) => void) => (event: { jobId: string; data?: unknown }) => {
    const job = pending.get(event.jobId)
    if (job) act(job, event.data)
  }
  const listeners = {
    active: of(onStart),
    progress: of((job, data) => onProgress(job, data as TrialProgress)),
    stalled: of((job) => log(job, 'its worker is gone; it is run again from its last checkpoint')),
    completed: ({ jobId }: { jobId: string }) => void collect(jobId),
    failed: ({ jobId }: { jobId: string }) => void collect(jobId),
  }
  const names = Object.keys(listeners) as (keyof typeof listeners)[]
  for (const name of names) events.on(name, listeners[name])
  return () => {
    for (const name of names) events.off(name, listeners[name])
  }
}
