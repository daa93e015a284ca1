/** One Python process that steps some environments: frames over its stdin and stdout. */
import type { ChildProcess } from 'node:child_process'
import { gymnasiumWorker } from '../generated/gymnasium-worker'
import type { Space } from '../vector-env'
import { type Answer, payloadAnswer } from './wire'

const PROTOCOL = 2
const MAGIC = 0x4d594754
const HEADER = 16
/** Kinds of frames, as in `python/gymnasium_worker.py`. */
export const Kind = { configure: 1, reset: 2, step: 3, close: 4, ok: 10, okFinal: 11, error: 12 } as const

/**
 * Why the Python side cannot go on.
 *
 * @example
 * ```ts
 * import { GymnasiumError, gymnasium } from '@tfgraft/rl-exploration'
 *
 * try {
 *   await gymnasium('CartPole-v1', { python: '/nowhere/python' })
 * } catch (error) {
 *   if (error instanceof GymnasiumError) console.log(error.reason) // exited
 * }
 * ```
 */
export class GymnasiumError extends Error {
  override readonly name = 'GymnasiumError'
  constructor(
    message: string,
    /** `'exception'` in Python, a process that `'exited'`, or one that gave no answer in time: `'timeout'`. */
    readonly reason: 'exception' | 'exited' | 'timeout',
  ) {
    super(message)
  }
}

export interface WorkerConfig {
  id: string
  numEnvs: number
  kwargs: Record<string, unknown>
  imports: readonly string[]
  observationKey: string | null
  /** Answers of this many bytes and more go through shared memory; null for none. */
  sharedMemoryBytes: number | null
}

export interface Handshake {
  protocol: number
  observationSpace: Space
  actionSpace: Space
  /** The memory-mapped file that answers go through. */
  sharedFile: string | null
}

interface Waiting {
  sequence: number
  resolve: (frame: { kind: number; payload: Buffer }) => void
  reject: (error: Error) => void
}

/** What arrives is cut into frames; an answer goes to whoever waits for it. */
export class PythonWorker {
  private readonly chunks: Buffer[] = []
  private buffered = 0
  /** Bytes that must have come before it is worth looking: a header, or a whole frame. */
  private needed = HEADER
  private sequence = 0
  private waiting: Waiting | undefined
  private errors = ''
  private failure: GymnasiumError | undefined
  private shared: { read: (target: Uint8Array, offset: number) => void; close: () => void } | undefined

  private constructor(
    private readonly child: ChildProcess,
    private readonly timeout: number,
  ) {
    child.stdout!.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk)
      this.buffered += chunk.length
      this.deliver()
    })
    child.stderr!.on('data', (chunk: Buffer) => {
      process.stderr.write(chunk)
      this.errors = (this.errors + chunk.toString()).slice(-2000)
    })
    child.stdin!.on('error', () => {}) // reported by 'close' below
    child.on('error', (error) =>
      this.fail(new GymnasiumError(`gymnasium: Python did not start. ${error.message}`, 'exited')),
    )
    child.on('close', (code, signal) => {
      this.shared?.close()
      const how = signal ? `signal ${signal}` : `code ${code}`
      this.fail(
        new GymnasiumError(`gymnasium: the worker exited with ${how}. ${this.errors}`.trim(), 'exited'),
      )
    })
  }

  static async start(
    python: string,
    config: WorkerConfig,
    timeout: number,
  ): Promise<[PythonWorker, Handshake]> {
    const { spawn } = await import('node:child_process')
    const child = spawn(python, ['-u', '-c', gymnasiumWorker], { stdio: ['pipe', 'pipe', 'pipe'] })
    const worker = new PythonWorker(child, timeout)
    try {
      const { payload } = await worker.request(Kind.configure, Buffer.from(JSON.stringify(config)))
      const handshake = JSON.parse(payload.toString(), infinities) as Handshake
      if (handshake.protocol !== PROTOCOL)
        throw new GymnasiumError(
          `gymnasium: protocol ${PROTOCOL} expected. Received ${handshake.protocol}.`,
          'exited',
        )
      if (handshake.sharedFile) await worker.openShared(handshake.sharedFile)
      return [worker, handshake]
    } catch (error) {
      worker.kill()
      throw error
    }
  }

  /**
   * Opens the file that Python writes its answers to, and takes its name away: it is gone when both processes are,
   * however they end. Node has no mmap; one `readSync` from memory into the arrays that users see is the only copy.
   */
  private async openShared(path: string): Promise<void> {
    const { closeSync, openSync, readSync, unlinkSync } = await import('node:fs')
    const descriptor = openSync(path, 'r')
    unlinkSync(path)
    this.shared = {
      read(target, offset) {
        for (let done = 0; done < target.length; ) {
          const count = readSync(descriptor, target, done, target.length - done, offset + done)
          if (count === 0)
            throw new GymnasiumError('gymnasium: the shared memory is shorter than an answer.', 'exited')
          done += count
        }
      },
      close: () => closeSync(descriptor),
    }
  }

  /** The bytes of an answer of `length`. */
  answer(payload: Buffer, length: number): Answer {
    return this.shared ? { length, copy: this.shared.read } : payloadAnswer(payload)
  }

  get processId(): number | undefined {
    return this.child.pid
  }

  /** Sends a frame and waits for the answer to it. */
  request(kind: number, payload: Buffer): Promise<{ kind: number; payload: Buffer }> {
    if (this.failure) return Promise.reject(this.failure)
    const sequence = ++this.sequence
    const header = Buffer.alloc(HEADER)
    for (const [i, value] of [MAGIC, kind, sequence, payload.length].entries())
      header.writeUInt32LE(value, 4 * i)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.fail(new GymnasiumError(`gymnasium: no answer within ${this.timeout} ms.`, 'timeout'))
        this.kill()
      }, this.timeout)
      const settle = () => {
        clearTimeout(timer)
        this.waiting = undefined
      }
      this.waiting = {
        sequence,
        resolve: (frame) => {
          settle()
          if (frame.kind === Kind.error)
            reject(new GymnasiumError(`gymnasium: ${frame.payload}`, 'exception'))
          else resolve(frame)
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      }
      this.child.stdin!.write(Buffer.concat([header, payload]))
    })
  }

  kill(): void {
    this.child.kill('SIGKILL')
  }

  /** Asks the process to end, and waits until it has. */
  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined) return
    const closed = new Promise<void>((resolve) => this.child.once('close', () => resolve()))
    const header = Buffer.alloc(HEADER)
    header.writeUInt32LE(MAGIC, 0)
    header.writeUInt32LE(Kind.close, 4)
    this.child.stdin!.end(header)
    const timer = setTimeout(() => this.kill(), 2000)
    await closed
    clearTimeout(timer)
  }

  private fail(error: GymnasiumError): void {
    this.failure ??= error
    this.waiting?.reject(this.failure)
  }

  private deliver(): void {
    while (this.buffered >= this.needed) {
      const all = this.chunks.length === 1 ? this.chunks[0]! : this.compact()
      const [magic, kind, sequence, size] = [0, 4, 8, 12].map((at) => all.readUInt32LE(at)) as [
        number,
        number,
        number,
        number,
      ]
      if (magic !== MAGIC) {
        this.fail(new GymnasiumError('gymnasium: the worker sent something that is no frame.', 'exited'))
        this.kill()
        return
      }
      this.needed = HEADER + size
      if (this.buffered < this.needed) return
      this.chunks[0] = all.subarray(HEADER + size)
      this.buffered -= HEADER + size
      this.needed = HEADER
      if (this.buffered === 0) this.chunks.length = 0
      // An answer that came after its time-out has nobody waiting.
      if (this.waiting?.sequence === sequence)
        this.waiting.resolve({ kind, payload: all.subarray(HEADER, HEADER + size) })
    }
  }

  private compact(): Buffer {
    const whole = Buffer.concat(this.chunks, this.buffered)
    this.chunks.length = 0
    this.chunks.push(whole)
    return whole
  }
}

/** JSON has no infinite numbers: a missing bound of a box is one. */
function infinities(key: string, value: unknown): unknown {
  if (value !== null) return value
  if (key === 'low') return Number.NEGATIVE_INFINITY
  return key === 'high' ? Number.POSITIVE_INFINITY : value
}
