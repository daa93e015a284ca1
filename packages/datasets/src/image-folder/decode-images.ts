/** Decodes image files in worker threads. */
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

export interface DecodeOptions {
  height: number
  width: number
  channels: 1 | 3
  fit: 'cover' | 'contain' | 'fill'
  background: string
  workers?: number
  onDecoded?: (done: number, total: number) => void
}

/** A file that could not be decoded. */
export interface DecodeFailure {
  file: string
  message: string
}

/** Files in work per worker: the next is ready when one is done. */
const IN_FLIGHT = 2
/** A worker takes about 50 ms to start: fewer files than this are not worth one. */
const FILES_PER_WORKER = 8

/** sharp as this package sees it (a peer), or as the running program does. */
function resolveSharp(): string {
  for (const origin of [import.meta.url, join(process.cwd(), 'noop.js')])
    try {
      return createRequire(origin).resolve('sharp')
    } catch {
      // Tried at the next origin; none left is an error below.
    }
  throw new Error(
    'imageFolder: the npm package `sharp`, which decodes images, is not installed. Run `npm install sharp`.',
  )
}

/** Pixels of all files, `[file, height, width, channels]`, in shared memory; those of failed files are 0. */
export async function decodeImages(
  files: readonly string[],
  { workers = availableParallelism(), onDecoded, ...image }: DecodeOptions,
): Promise<{ pixels: Uint8Array; failures: DecodeFailure[] }> {
  const size = image.height * image.width * image.channels
  const pixels = new Uint8Array(new SharedArrayBuffer(files.length * size))
  const workerData = { ...image, pixels, sharpPath: resolveSharp() }
  const failures: DecodeFailure[] = []
  let [next, done] = [0, 0]

  /** Gives a worker file after file until none is left. */
  const work = (worker: Worker) =>
    new Promise<void>((resolve, reject) => {
      let pending = 0
      const give = () => {
        if (next < files.length) {
          pending++
          worker.postMessage({ index: next, file: files[next] })
          next++
        } else if (pending === 0) resolve()
      }
      worker.on('error', reject)
      worker.on('message', ({ index, error }: { index: number; error?: string }) => {
        pending--
        done++
        if (error !== undefined) failures.push({ file: files[index]!, message: error })
        onDecoded?.(done, files.length)
        give()
      })
      for (let i = 0; i < IN_FLIGHT; i++) give()
    })

  const count = Math.max(1, Math.min(workers, Math.ceil(files.length / FILES_PER_WORKER)))
  const pool = Array.from(
    { length: count },
    () => new Worker(new URL('./decode-worker.mjs', import.meta.url), { workerData }),
  )
  try {
    await Promise.all(pool.map(work))
  } finally {
    await Promise.all(pool.map((worker) => worker.terminate()))
  }
  return { pixels, failures: failures.sort((a, b) => (a.file < b.file ? -1 : 1)) }
}
