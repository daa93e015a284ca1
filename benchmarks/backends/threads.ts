/**
 * Training steps with one thread and with two, in turns in one process: first as the machine is, then with as many busy processes
 * beside as there are cores. Wall time, because threads are about nothing else: nothing else should run meanwhile.
 *
 *     node --no-liftoff --conditions=@tfgraft/source --import tsx backends/threads.ts [--rounds=9] [--quiet|--loaded] [name ...]
 *
 * in this folder's parent writes `results/committed/backends-threads.json` and the table made from it. With names or only one of
 * the two parts, nothing is written.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-layers'
import { useBackend } from '@tfgraft/backends'
import { environment, median, quartiles } from '@tfgraft/bench/measure'
import { embedding, lenet, lstm, resnet, transformer } from './models'
import { threadsTable } from './tables'

/** Medians in milliseconds of a step, and of the rounds' ratios, with their quartiles. */
export interface ThreadsTiming {
  one: number
  two: number
  ratio: number
  quartiles: [number, number]
}

export interface ThreadsResult {
  name: string
  quiet?: ThreadsTiming
  loaded?: ThreadsTiming
}

const options = process.argv.slice(2).filter((word) => word.startsWith('--'))
const names = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const rounds = Number(options.find((word) => word.startsWith('--rounds='))?.split('=')[1] ?? 9)
const parts = (['quiet', 'loaded'] as const).filter(
  (part) => options.includes(`--${part}`) || !(options.includes('--quiet') || options.includes('--loaded')),
)
/** Wall time of each turn, in milliseconds. */
const turn = 400

function msPerStep(run: () => void): number {
  run()
  run()
  const start = performance.now()
  let steps = 0
  do {
    run()
    steps++
  } while (performance.now() - start < turn)
  return (performance.now() - start) / steps
}

async function measure(run: () => void): Promise<ThreadsTiming> {
  const times = { 1: [] as number[], 2: [] as number[] }
  for (let round = 0; round < rounds; round++)
    for (const threads of round % 2 ? ([2, 1] as const) : ([1, 2] as const)) {
      await useBackend('wasm', { threads })
      await setTimeout(100)
      times[threads].push(msPerStep(run))
    }
  const ratios = times[1].map((one, round) => one / times[2][round]!)
  return { one: median(times[1]), two: median(times[2]), ratio: median(ratios), quartiles: quartiles(ratios) }
}

async function besideBusyProcesses<T>(body: () => Promise<T>): Promise<T> {
  const busy: ChildProcess[] = Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  )
  try {
    await setTimeout(500)
    return await body()
  } finally {
    for (const child of busy) child.kill('SIGKILL')
  }
}

await useBackend('wasm', { threads: 2 })
const measuredOn = environment() // with the load before this adds its own
const rows: ThreadsResult[] = []
const makers = [lenet, resnet, transformer, lstm, embedding]
for (const make of makers) {
  const { name, run } = make()
  if (names.length && !names.some((start) => name.startsWith(start))) continue
  for (let step = 0; step < 3; step++) run()
  const row: ThreadsResult = { name }
  if (parts.includes('quiet')) row.quiet = await measure(run)
  if (parts.includes('loaded')) row.loaded = await besideBusyProcesses(() => measure(run))
  rows.push(row)
  console.log(JSON.stringify(row))
}
const results = { environment: measuredOn, rows }
console.log(threadsTable(results))
if (rows.length === makers.length && parts.length === 2) {
  const folder = new URL('../results/committed/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL('backends-threads.json', folder), `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(new URL('backends-threads.md', folder), threadsTable(results))
}
process.exit(0)
