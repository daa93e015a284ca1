/** The parent's side of a trial process. */
import { type ChildProcess, fork } from 'node:child_process'
import { createRequire } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { UsageError } from '../choices'
import type { TrialProgress } from '../trial'
import type { Job, JobResult } from './job'
import type { FromProcess, ToProcess } from './trial-process'

/** The process ended before its job did. */
export class ProcessDied extends Error {
  override name = 'ProcessDied'
}

export interface HandleOptions {
  signal: AbortSignal
  onProgress: (progress: TrialProgress) => void
  /** Lines of the job, and whatever the process writes to its standard outputs. */
  log: (line: string) => void
  checkpoints: string
  checkpointSeconds?: number
}

export interface ProcessHandle {
  readonly pid: number | undefined
  /** @throws {ProcessDied} */
  run(job: Job, options: HandleOptions): Promise<JobResult>
  /** Ends the process. */
  stop(): void
}

// Beside this file: `.ts` in the repository's sources, `.mjs` once built.
const extension = extname(fileURLToPath(import.meta.url))
const entry = fileURLToPath(new URL(`./trial-process${extension}`, import.meta.url))
const loader = () => pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm')).href

/** Starts a process. It is alive until stopped, and runs one job at a time. */
export function startProcess(): ProcessHandle {
  const child = fork(entry, [], {
    execArgv: extension === '.ts' ? ['--conditions=@tfgraft/source', '--import', loader()] : [],
    serialization: 'advanced', // keeps NaN and infinities, which JSON would turn into null
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  return {
    get pid() {
      return child.pid
    },
    run: (job, options) => runIn(child, job, options),
    stop: () => child.kill('SIGKILL'),
  }
}

function runIn(
  child: ChildProcess,
  job: Job,
  { signal, onProgress, log, ...storage }: HandleOptions,
): Promise<JobResult> {
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      for (const line of chunk.toString().split('\n')) if (line.trim()) log(line)
    }
    const onAbort = () => child.connected && child.send({ type: 'abort' } satisfies ToProcess)
    const finish = (settle: () => void) => {
      child.off('message', onMessage).off('exit', onExit)
      for (const stream of [child.stdout, child.stderr]) stream?.off('data', onData)
      signal.removeEventListener('abort', onAbort)
      settle()
    }
    const onExit = (code: number | null, killedBy: string | null) =>
      finish(() => reject(new ProcessDied(`its process ended (${killedBy ?? `exit code ${code}`})`)))
    const onMessage = (message: FromProcess) => {
      if (message.type === 'progress') onProgress(message.progress)
      else if (message.type === 'log') log(message.line)
      else if (message.type === 'result') finish(() => resolve(message.result))
      else if (message.type === 'error') {
        const error = message.usage ? new UsageError(message.message) : new Error(message.message)
        finish(() => reject(error))
      }
    }
    child.on('message', onMessage).on('exit', onExit)
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', onData)
    signal.addEventListener('abort', onAbort)
    if (child.exitCode !== null || child.signalCode !== null) onExit(child.exitCode, child.signalCode)
    else {
      child.send({ type: 'run', job, ...storage } satisfies ToProcess)
      if (signal.aborted) onAbort()
    }
  })
}
