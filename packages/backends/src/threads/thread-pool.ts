/** Workers that compute in the memory of the wasm backend, beside the thread that calls. */

import { isNode } from '../use-backend/backend-driver'
import { importOptional } from '../use-backend/optional-import'
import { maxArguments, maxTiles, scratchSlot, type WorkerModule, type WorkerStart, words } from './job'
import { workerSource } from './worker'

/** A kernel of a compiled module, for one call per tile. */
export interface Job {
  module: WebAssembly.Module
  /** The kernel's place among the module's exports. */
  kernel: number
  /** Calls it on the calling thread. */
  call: (...parameters: number[]) => void
  /** One list of arguments per tile, at most {@link maxTiles}. */
  tiles: number[][]
  /** Which argument is the scratch, or -1; and where the threads' scratch lies. */
  scratchArgument: number
  scratch: number
  scratchBytes: number
}

export interface ThreadPool {
  /** Threads that compute, with the calling one. */
  readonly threads: number
  /** False for some time after a worker has been kept from running: the cores are busy with something else. */
  isFree(): boolean
  run(job: Job): void
  dispose(): void
}

/** What workers of browsers and of Node have in common. */
interface ThreadWorker {
  postMessage(message: WorkerStart | WorkerModule): void
  terminate(): void
}

/** A worker looks out for the next job this many times, about 0.2 ms, before it sleeps. Most ops of a step come sooner. */
const spins = 20_000
/** Milliseconds. A worker that finishes its tile this much later than expected has been kept waiting for a core. */
const patience = 0.5
/** Milliseconds without workers after such an event: doubled each time, halved by jobs that go well. */
const pause = { first: 5, longest: 1000, goodJobs: 200 }

async function createWorker(onError: (error: unknown) => void, onReady: () => void): Promise<ThreadWorker> {
  if (isNode) {
    const { Worker } = await importOptional<typeof import('node:worker_threads')>('node:worker_threads')
    const worker = new Worker(workerSource, { eval: true, name: 'tfgraft', execArgv: [] })
    worker.unref() // the process ends when its own work is done
    worker.once('message', onReady).once('error', onError)
    return { postMessage: (message) => worker.postMessage(message), terminate: () => void worker.terminate() }
  }
  const url = URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }))
  const worker = new Worker(url, { name: 'tfgraft' })
  worker.onmessage = () => {
    URL.revokeObjectURL(url)
    onReady()
  }
  worker.onerror = onError
  return worker
}

/** A browser's main thread must not sleep; workers and Node may. */
function maySleep(control: Int32Array): boolean {
  try {
    Atomics.wait(control, words.done, -1, 0)
    return true
  } catch {
    return false
  }
}

/**
 * Starts `threads - 1` workers on a shared `memory`.
 *
 * @throws when a worker does not start: a page's content security policy must allow `worker-src blob:`.
 */
export async function startThreadPool(memory: WebAssembly.Memory, threads: number): Promise<ThreadPool> {
  const control = new Int32Array(new SharedArrayBuffer(words.count * 4))
  const parameters = new Float64Array(new SharedArrayBuffer((scratchSlot + 1) * 8))
  const workers: ThreadWorker[] = []
  const dispose = () => {
    for (const worker of workers.splice(0)) worker.terminate()
  }
  const startWorker = (thread: number) =>
    new Promise<void>((resolve, reject) => {
      createWorker(reject, resolve).then((worker) => {
        workers.push(worker)
        worker.postMessage({ thread, control, parameters, memory, words, maxArguments, scratchSlot, spins })
      }, reject)
    })
  try {
    await Promise.all(Array.from({ length: threads - 1 }, (_, i) => startWorker(i + 1)))
  } catch (error) {
    dispose()
    const reason = error instanceof Error ? error.message : 'the worker did not load'
    throw new Error(`useBackend: \`threads\` takes workers, and none starts here (${reason}).`)
  }

  const sleeps = maySleep(control)
  const modules = new Map<WebAssembly.Module, number>()
  let resumeAt = 0
  let pauseLength = pause.first
  let goodJobs = 0

  function numberOf(module: WebAssembly.Module): number {
    let number = modules.get(module)
    if (number === undefined) {
      number = modules.size + 1
      modules.set(module, number)
      for (const worker of workers) worker.postMessage({ module })
      Atomics.add(control, words.messages, 1)
      Atomics.add(control, words.wake, 1)
      Atomics.notify(control, words.wake)
    }
    return number
  }

  function publish({ module, kernel, tiles, scratchArgument, scratch, scratchBytes }: Job): void {
    const number = numberOf(module)
    for (const [i, tile] of tiles.entries()) parameters.set(tile, i * maxArguments)
    parameters[scratchSlot] = scratch
    control[words.kernel] = kernel
    control[words.argumentCount] = tiles[0]!.length
    control[words.scratchArgument] = scratchArgument
    control[words.scratchBytes] = scratchBytes
    control[words.done] = 0
    Atomics.store(control, words.ticket, (number << 24) | (tiles.length << 16))
    Atomics.add(control, words.wake, 1)
    if (Atomics.load(control, words.sleepers) > 0) Atomics.notify(control, words.wake)
  }

  /** Waits until workers have finished the tiles that they have taken. */
  function awaitWorkers(tiles: number): void {
    for (let i = 0; i < spins && Atomics.load(control, words.done) < tiles; i++);
    let done = Atomics.load(control, words.done)
    if (done >= tiles) return
    if (sleeps) Atomics.store(control, words.callerSleeps, 1)
    while (done < tiles) {
      if (sleeps) Atomics.wait(control, words.done, done)
      done = Atomics.load(control, words.done)
    }
    if (sleeps) Atomics.store(control, words.callerSleeps, 0)
  }

  /** Leaves the workers alone for a while after a late one. */
  function judge(start: number, end: number, own: number): void {
    const late = performance.now() - end
    const tile = (end - start) / Math.max(own, 1)
    if (late > patience + 2 * tile) {
      resumeAt = end + late + pauseLength
      pauseLength = Math.min(2 * pauseLength, pause.longest)
      goodJobs = 0
    } else if (++goodJobs === pause.goodJobs) {
      pauseLength = Math.max(pauseLength / 2, pause.first)
      goodJobs = 0
    }
  }

  return {
    threads,
    isFree: () => performance.now() >= resumeAt,
    run(job) {
      publish(job)
      const start = performance.now()
      let own = 0
      let failed = 0
      try {
        for (;;) {
          const ticket = Atomics.load(control, words.ticket)
          const tile = ticket & 0xffff
          if (tile >= job.tiles.length) break
          if (Atomics.compareExchange(control, words.ticket, ticket, ticket + 1) !== ticket) continue
          own++
          job.call(...job.tiles[tile]!)
        }
      } finally {
        // Also after an error: the memory is not free before workers are done.
        const taken = Math.min(Atomics.or(control, words.ticket, 0xffff) & 0xffff, job.tiles.length)
        const end = performance.now()
        awaitWorkers(taken - own)
        judge(start, end, own)
        // Also when the calling thread failed beside a worker, or the next job would be blamed.
        failed = Atomics.exchange(control, words.failed, 0)
      }
      if (failed) throw new Error('A kernel failed in a worker.')
    },
    dispose,
  }
}
