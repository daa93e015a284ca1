/** What the two ends of the Redis queue agree on. */
import { Redis } from 'ioredis'
import { UsageError } from '../choices'
import type { Job } from './job'

/** One queue for everybody: workers take the trials of any run. */
export const queueName = 'trials'
export const prefix = 'tfgraft-bench'
/** Published with the name of a run that is to stop. */
export const cancelChannel = `${prefix}:cancel`
/** Set for a run that was stopped, so that jobs which come back from dead workers stop too. */
export const cancelledKey = (run: string) => `${prefix}:cancelled:${run}`

/** What a job carries. */
export interface QueuedJob {
  run: string
  job: Job
}

/** The same run, task, method, seed and configuration: the same job. BullMQ does not allow colons. */
export const queueId = (run: string, { id }: Job): string => `${run}/${id.replaceAll(':', '/')}`

/** Connects, or says why not. */
export async function connect(url: string): Promise<Redis> {
  if (!/^rediss?:\/\//.test(url))
    throw new UsageError(`--queue must be an address such as redis://host:6379. Received '${url}'.`)
  // `null`: BullMQ waits for a server that restarts, rather than failing after some tries.
  const redis = new Redis(url, { maxRetriesPerRequest: null, lazyConnect: true, retryStrategy: () => null })
  redis.on('error', () => {}) // reported below, and by every command
  try {
    await redis.connect()
  } catch (error) {
    throw new UsageError(`--queue ${url}: Redis cannot be reached (${(error as Error).message}).`)
  }
  redis.options.retryStrategy = (times) => Math.min(200 * times, 5000)
  return redis
}
