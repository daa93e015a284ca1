/** The program of a worker: takes tiles of the current job until there are none, looks out for the next job, then sleeps. */
import type { WorkerModule, WorkerStart } from './job'

interface Port {
  postMessage(message: unknown): void
}

/**
 * Becomes the source text of a worker, so it refers to nothing but its parameters. Messages arrive only while no loop runs:
 * the loop ends when `words.messages` says that there is one.
 */
function workerProgram(port: Port, listen: (receive: (message: WorkerStart | WorkerModule) => void) => void) {
  let start: WorkerStart
  let received = 0
  const kernels: ((...parameters: number[]) => void)[][] = [[]]

  const runTile = (module: number, tile: number) => {
    const { control, parameters, words, thread } = start
    const count = control[words.argumentCount]!
    const first = tile * start.maxArguments
    const values = Array.from(parameters.subarray(first, first + count))
    const scratch = control[words.scratchArgument]!
    if (scratch >= 0) values[scratch] = parameters[start.scratchSlot]! + thread * control[words.scratchBytes]!
    try {
      kernels[module]![control[words.kernel]!]!(...values)
    } catch {
      Atomics.store(control, words.failed, 1)
    }
  }

  const work = () => {
    const { control, words, spins } = start
    let idle = 0
    while (Atomics.load(control, words.messages) === received) {
      const ticket = Atomics.load(control, words.ticket)
      const module = ticket >>> 24
      if ((ticket & 0xffff) < ((ticket >>> 16) & 0xff) && kernels[module]) {
        // The whole word is compared, so the tile belongs to a job of this module: it may be a later job, just as well.
        if (Atomics.compareExchange(control, words.ticket, ticket, ticket + 1) === ticket) {
          runTile(module, ticket & 0xffff)
          Atomics.add(control, words.done, 1)
          if (Atomics.load(control, words.callerSleeps)) Atomics.notify(control, words.done)
        }
        idle = 0
      } else if (++idle > spins) {
        const wake = Atomics.load(control, words.wake)
        Atomics.add(control, words.sleepers, 1)
        // A job or message that came since then has changed `wake`, or has been seen.
        if (
          Atomics.load(control, words.ticket) === ticket &&
          Atomics.load(control, words.messages) === received
        )
          Atomics.wait(control, words.wake, wake)
        Atomics.sub(control, words.sleepers, 1)
        idle = 0
      }
    }
  }

  listen((message) => {
    if ('module' in message) {
      const { exports } = new WebAssembly.Instance(message.module, { env: { memory: start.memory } })
      kernels.push(Object.values(exports) as (typeof kernels)[number])
      received++
    } else {
      start = message
      port.postMessage('ready')
    }
    work()
  })
}

/** Compilers that keep function names wrap functions in `__name`, which the worker does not have. */
export const workerSource = `
const __name = (f) => f
const program = ${workerProgram}
if (typeof process === 'object' && process.versions?.node)
  import('node:worker_threads').then(({ parentPort }) => program(parentPort, (f) => parentPort.on('message', f)))
else program(self, (f) => { self.onmessage = ({ data }) => f(data) })
`
