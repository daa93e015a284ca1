/** `tfgraft-bench worker`: takes trials from a Redis server, on this machine. */
import { availableParallelism } from 'node:os'
import { defineCommand } from 'citty'
import { checkFlags } from './check-flags'
import { interruptSignal } from './interrupt-signal'
import { integerFrom, positiveInteger, runArguments } from './run-arguments'

const args = {
  queue: {
    type: 'string',
    required: true,
    valueHint: 'redis://host:6379',
    description: 'The server that `tfgraft-bench run --queue` names.',
  },
  workers: {
    type: 'string',
    valueHint: 'n',
    description: 'Trials at once, in a process each. Default: one per core. With a GPU: 1.',
  },
  storage: {
    type: 'string',
    default: '.tfgraft-bench',
    valueHint: 'folder',
    description:
      'Where trials are saved. On storage that all workers share, a trial of a worker that died goes on from its last checkpoint; else it starts over.',
  },
  'checkpoint-seconds': runArguments['checkpoint-seconds'],
  'lock-seconds': {
    type: 'string',
    default: '60',
    valueHint: 'n',
    description: 'How long a worker may be silent before its trials go to others.',
  },
} as const

export const worker = defineCommand({
  meta: { name: 'worker', description: 'Take trials from a Redis server and run them on this machine.' },
  args,
  async run({ args: given, rawArgs }) {
    checkFlags(rawArgs, args)
    const checkpointSeconds = integerFrom(0, 'checkpoint-seconds', given['checkpoint-seconds'])
    const workers = positiveInteger('workers', given.workers) ?? availableParallelism()
    const { bullWorker } = await import('../queue/bullmq-worker')
    const log = (line: string) => console.error(line)
    const { signal, stopListening } = interruptSignal(log)
    console.error(`takes trials from ${given.queue}, ${workers} at once. Ctrl-C gives them back and ends.`)
    await bullWorker({
      url: given.queue,
      workers,
      checkpoints: given.storage,
      ...(checkpointSeconds === undefined ? {} : { checkpointSeconds }),
      lockSeconds: positiveInteger('lock-seconds', given['lock-seconds'])!,
      signal,
      log,
    })
    stopListening()
  },
})
