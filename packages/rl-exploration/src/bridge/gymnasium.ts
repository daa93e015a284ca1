/**
 * Any Python Gymnasium environment as a {@link VectorEnv}: one process per core, each stepping its share; raw frames
 * over stdin and stdout. Node only. Python needs `gymnasium` and `numpy`, and what the environment needs.
 */
import type { EnvStep, Observations, Space, VectorEnv } from '../vector-env'
import { bytesOf, bytesOfArray, leavesOf, ObservationBuffer } from './wire'
import { GymnasiumError, type Handshake, Kind, PythonWorker, type WorkerConfig } from './worker'

/** Options of {@link gymnasium}. */
export interface GymnasiumOptions {
  /** Number of environments. @default 1 */
  numEnvs?: number
  /** The Python that has gymnasium. @default the environment variable TFGRAFT_PYTHON, else `python3` */
  python?: string
  /** Arguments of `gymnasium.make`. @default {} */
  kwargs?: Record<string, unknown>
  /** Modules that register the environment, such as `minigrid`. @default [] */
  imports?: readonly string[]
  /** Only this entry of a dict observation. @default all */
  observationKey?: string
  /** Processes. @default one per core, at most one per environment */
  workers?: number
  /** Milliseconds that one step may take, and the start ten times as many. @default 30000 */
  timeout?: number
  /**
   * When a process dies or times out: `'error'` rejects the call with a {@link GymnasiumError} and stops all;
   * `'restart'` starts another, whose environments begin new episodes: the cut ones count as truncated with reward 0.
   * An exception in Python is an error in both. @default 'error'
   */
  onCrash?: 'error' | 'restart'
  /**
   * Answers of a worker of this many bytes and more (observations of its environments) go through shared memory instead
   * of a pipe: a memory-mapped file without a name. Infinity for never; Windows never does. @default 32768, where it begins to pay
   */
  sharedMemoryBytes?: number
  /** Environment i is first seeded with `seed + i`. @default unseeded */
  seed?: number
}

/** A {@link VectorEnv} in Python processes: its methods return promises. */
export interface GymnasiumEnv extends VectorEnv {
  readonly autoreset: 'same-step'
  /** Process ids of the workers. */
  readonly processIds: readonly number[]
  reset(seed?: number): Promise<Observations>
  step(actions: Int32Array | Float32Array): Promise<EnvStep>
  close(): Promise<void>
}

/** Consecutive environments of one process. */
interface Share {
  first: number
  count: number
  worker: PythonWorker
}

/**
 * Makes Gymnasium environments in Python.
 *
 * @param id What `gymnasium.make` takes, such as `CartPole-v1` or `minigrid:MiniGrid-DoorKey-8x8-v0`.
 * @throws {GymnasiumError} When Python does not start or cannot make the environment: with its traceback.
 * @example
 * ```ts
 * import { gymnasium } from '@tfgraft/rl-exploration'
 *
 * try {
 *   const env = await gymnasium('CartPole-v1', { numEnvs: 8, workers: 2 })
 *   await env.reset(1)
 *   const { rewards } = await env.step(new Int32Array(8))
 *   console.log(env.observationSpace, rewards)
 *   await env.close()
 * } catch (error) {
 *   console.log(error) // a Python without gymnasium says so here
 * }
 * ```
 */
export async function gymnasium(id: string, options: GymnasiumOptions = {}): Promise<GymnasiumEnv> {
  const { availableParallelism } = await import('node:os')
  const {
    numEnvs = 1,
    kwargs = {},
    imports = [],
    observationKey,
    timeout = 30_000,
    onCrash = 'error',
    sharedMemoryBytes = 2 ** 15,
  } = options
  const python = options.python ?? process.env.TFGRAFT_PYTHON ?? 'python3'
  const workers = options.workers ?? Math.min(numEnvs, availableParallelism())
  if (!Number.isInteger(numEnvs) || numEnvs < 1)
    throw new Error(`gymnasium: \`numEnvs\` must be a positive integer. Received numEnvs=${numEnvs}.`)
  if (!Number.isInteger(workers) || workers < 1 || workers > numEnvs)
    throw new Error(`gymnasium: \`workers\` must be within 1 and \`numEnvs\`. Received workers=${workers}.`)
  if (!(sharedMemoryBytes >= 0))
    throw new Error(
      `gymnasium: \`sharedMemoryBytes\` must be 0 or more. Received sharedMemoryBytes=${sharedMemoryBytes}.`,
    )
  if (!['error', 'restart'].includes(onCrash))
    throw new Error(`gymnasium: \`onCrash\` must be 'error' or 'restart'. Received onCrash=${onCrash}.`)

  const start = (count: number) => {
    const config: WorkerConfig = {
      id,
      numEnvs: count,
      kwargs,
      imports,
      observationKey: observationKey ?? null,
      // Windows does not let go of the name of an open file.
      sharedMemoryBytes:
        Number.isFinite(sharedMemoryBytes) && process.platform !== 'win32' ? sharedMemoryBytes : null,
    }
    return PythonWorker.start(python, config, timeout)
  }
  const shares: Share[] = []
  let handshake: Handshake | undefined
  const stopAll = () => {
    for (const { worker } of shares) worker.kill()
  }
  const bounds = Array.from({ length: workers + 1 }, (_, k) => Math.floor((k * numEnvs) / workers))
  const started = await Promise.allSettled(bounds.slice(1).map((end, k) => start(end - bounds[k]!)))
  started.forEach((result, k) => {
    if (result.status === 'fulfilled') {
      shares.push({ first: bounds[k]!, count: bounds[k + 1]! - bounds[k]!, worker: result.value[0] })
      handshake = result.value[1]
    }
  })
  const failed = started.find((result) => result.status === 'rejected')
  if (failed || !handshake) {
    stopAll()
    throw failed?.reason
  }
  // Workers end with their stdin when this process dies; on a normal exit they need not wait for that.
  process.once('exit', stopAll)

  const { observationSpace, actionSpace } = handshake
  const leaves = leavesOf(observationSpace)
  const buffers = [0, 1].map(() => new ObservationBuffer(leaves, numEnvs))
  const finals = new ObservationBuffer(leaves, numEnvs)
  const rewards = new Float32Array(numEnvs)
  const terminated = new Uint8Array(numEnvs)
  const truncated = new Uint8Array(numEnvs)
  const observationBytes = bytesOf(leaves)
  const actionSize = actionLength(actionSpace)
  let turn = 0
  let seedNext = options.seed

  /** Reads an answer. Returns whether an episode ended. */
  function take(
    { first, count, worker }: Share,
    { kind, payload }: { kind: number; payload: Buffer },
  ): boolean {
    const ended = kind === Kind.okFinal
    const expected = count * (observationBytes * (ended ? 2 : 1) + 6)
    const answer = worker.answer(payload, expected)
    if (answer.length !== expected)
      throw new GymnasiumError(
        `gymnasium: a frame of ${expected} bytes expected. Received ${answer.length}.`,
        'exited',
      )
    buffers[turn]!.read(answer, 0, first, count)
    let at = observationBytes * count
    for (const array of [rewards, terminated, truncated]) {
      const bytes = bytesOfArray(array.subarray(first, first + count))
      answer.copy(bytes, at)
      at += bytes.length
    }
    if (ended) finals.read(answer, at, first, count)
    return ended
  }

  /** Another process for a share whose own is gone: its episodes are cut, new ones begin. */
  async function restart(share: Share): Promise<boolean> {
    share.worker.kill()
    const [worker] = await start(share.count)
    share.worker = worker
    finals.copyRows(buffers[1 - turn]!, share.first, share.count)
    take(share, await worker.request(Kind.reset, Buffer.from('null')))
    truncated.fill(1, share.first, share.first + share.count)
    return true
  }

  async function ask(share: Share, kind: number, payload: Buffer): Promise<boolean> {
    try {
      return take(share, await share.worker.request(kind, payload))
    } catch (error) {
      const crashed = error instanceof GymnasiumError && error.reason !== 'exception'
      if (onCrash === 'restart' && crashed && kind === Kind.step) return restart(share)
      throw error
    }
  }

  async function askAll(kind: number, payload: (share: Share) => Buffer): Promise<boolean> {
    turn = 1 - turn
    const answers = await Promise.allSettled(shares.map((share) => ask(share, kind, payload(share))))
    const error = answers.find((answer) => answer.status === 'rejected')
    if (error) {
      stopAll()
      throw error.reason
    }
    return answers.some((answer) => answer.status === 'fulfilled' && answer.value)
  }

  return {
    numEnvs,
    observationSpace,
    actionSpace,
    autoreset: 'same-step',
    get processIds() {
      return shares.map(({ worker }) => worker.processId!)
    },
    async reset(seed = seedNext) {
      seedNext = undefined
      await askAll(Kind.reset, ({ first }) =>
        Buffer.from(JSON.stringify(seed === undefined ? null : seed + first)),
      )
      return buffers[turn]!.observations
    },
    async step(actions) {
      const size = actionSize
      if (actions.length !== numEnvs * size)
        throw new Error(`gymnasium: needs ${numEnvs * size} numbers as actions. Received ${actions.length}.`)
      const wire = actionSpace.type === 'box' ? Float32Array.from(actions) : Int32Array.from(actions)
      const ended = await askAll(Kind.step, ({ first, count }) =>
        Buffer.from(wire.buffer, wire.byteOffset + 4 * first * size, 4 * count * size),
      )
      return {
        observations: buffers[turn]!.observations,
        rewards,
        terminated,
        truncated,
        ...(ended && { finalObservations: finals.observations }),
      }
    },
    async close() {
      process.off('exit', stopAll)
      await Promise.all(shares.map(({ worker }) => worker.close()))
    },
  }
}

function actionLength(space: Space): number {
  if (space.type === 'dict')
    throw new Error(
      `gymnasium: actions must be discrete or a box. Received a dict of ${Object.keys(space.spaces)}.`,
    )
  if (space.type === 'box') return space.shape.reduce((product, n) => product * n, 1)
  return space.type === 'multi-discrete' ? space.nvec.length : 1
}
