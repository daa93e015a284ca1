/** Where trials run, by the command line. */
import { availableParallelism } from 'node:os'
import { basename, resolve } from 'node:path'
import { inProcessQueue } from '../queue/in-process'
import { localPool } from '../queue/local-pool'
import type { TrialQueue } from '../queue/trial-queue'
import { checkpointFolder } from '../run-suite'
import { integerFrom } from './run-arguments'

export interface QueueArguments {
  workers?: string | undefined
  queue?: string | undefined
  'checkpoint-seconds'?: string | undefined
}

/** On wasm and cpu a trial keeps one core busy. Other backends have one device, or threads of their own. */
const defaultWorkers = (backend: string) => (['wasm', 'cpu'].includes(backend) ? availableParallelism() : 1)

/** Opens the queue that the options ask for. */
export async function openQueue(args: QueueArguments, backend: string, out: string): Promise<TrialQueue> {
  const workers = integerFrom(0, 'workers', args.workers) ?? defaultWorkers(backend)
  const checkpointSeconds = integerFrom(0, 'checkpoint-seconds', args['checkpoint-seconds'])
  if (args.queue !== undefined) {
    const { bullQueue } = await import('../queue/bullmq-queue')
    return bullQueue({ url: args.queue, run: basename(resolve(out)) })
  }
  const storage = {
    checkpoints: checkpointFolder(out),
    ...(checkpointSeconds === undefined ? {} : { checkpointSeconds }),
  }
  return workers === 0 ? inProcessQueue(storage) : localPool({ workers, ...storage })
}
