/**
 * A process that runs jobs for its parent, one at a time. What happens here (a crash, memory, a synchronous step of seconds) does not
 * touch the parent's event loop. When the parent dies, this process ends too, after the current step.
 */
import '@tensorflow/tfjs-layers' // registers tfjs's gradients
import type { TrialProgress } from '../trial'
import type { Job, JobResult } from './job'
import { jobRunner } from './run-job'

export type ToProcess =
  | { type: 'run'; job: Job; checkpoints?: string; checkpointSeconds?: number }
  | { type: 'abort' }
export type FromProcess =
  | { type: 'ready' }
  | { type: 'progress'; progress: TrialProgress }
  | { type: 'log'; line: string }
  | { type: 'result'; result?: JobResult }
  | { type: 'error'; message: string; usage: boolean }

/** Progress goes out at most this often. */
const progressEveryMs = 200

const send = (message: FromProcess) => process.send?.(message)

// Ctrl-C reaches all processes of a terminal: the parent decides what it means.
process.on('SIGINT', () => {})
process.on('disconnect', () => process.exit(1))

const runner = jobRunner()
let abort = new AbortController()

process.on('message', async (message: ToProcess) => {
  if (message.type === 'abort') {
    abort.abort()
    return
  }
  const { job, type: _, ...storage } = message
  abort = new AbortController()
  let last = 0
  try {
    const result = await runner.run(job, {
      ...storage,
      signal: abort.signal,
      onProgress: (progress) => {
        const now = performance.now()
        if (now - last < progressEveryMs) return
        last = now
        send({ type: 'progress', progress })
      },
      log: (line) => send({ type: 'log', line }),
    })
    send({ type: 'result', ...(result ? { result } : {}) })
  } catch (error) {
    const { message, name } = error as Error
    send({ type: 'error', message, usage: name === 'UsageError' })
  }
})
send({ type: 'ready' })
