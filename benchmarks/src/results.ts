/**
 * The results of a run: one JSON line per finished trial, in `results.jsonl`. Everything else (tables, the report) is
 * derived from it.
 *
 * Lines are only ever appended, each by one write and a flush to disk. A process that dies in the middle leaves at
 * most one broken last line, which readers skip and the next writer closes. A later line with the same id replaces
 * an earlier one.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Environment } from './environment'
import type { Hyperparameters, Picture, Task } from './task'

/** What identifies a trial: equal id, equal result (but for times). */
export interface TrialConfig {
  task: string
  method: string
  seed: number
  epochs: number
  backend: string
  hyperparameters: Hyperparameters
  evaluateOn: 'test' | 'validation'
  limit?: number
}

export interface CurvePoint {
  /** Epochs trained: 0 is the initial model. */
  epoch: number
  /** Mean over the epoch that ends here; absent at 0. */
  trainLoss?: number
  metrics: Record<string, number>
}

export interface TrialRecord {
  kind: 'trial'
  id: string
  config: TrialConfig
  /** `diverged`: the loss became NaN or infinite. `interrupted`: cut short, and run again on resume. */
  status: 'finished' | 'diverged' | 'interrupted' | 'failed'
  error?: string
  /** Whether the hyperparameters were chosen for this method on this task. */
  tuned: boolean
  parameters: number
  stepsPerEpoch: number
  curve: CurvePoint[]
  /** Most tensor bytes alive during a training step, above what was alive before the trial. */
  peakBytes?: number
  timing: {
    /** Training seconds, without evaluations, at each point of `curve`. */
    seconds: number[]
    /** Median over the steps of the training loop, the first 10 excluded. */
    msPerStep?: number
  }
  /** Of the trained model, where the task makes any. */
  pictures?: Picture[]
  date: string
  environment: Environment
  command: string
  /** How to show a task that is not built in. */
  about?: Pick<Task, 'title' | 'summary' | 'epochTitle' | 'metrics' | 'target'>
}

/** Step times of a task's methods, measured in turns in one process. */
export interface StepTimesRecord {
  kind: 'steps'
  id: string
  task: string
  backend: string
  rounds: number
  /** `processor`: time of this process, where the backend computes in it; `wall` elsewhere. */
  clock: 'processor' | 'wall'
  /** By method: median milliseconds, and the median over rounds of the ratio to the baseline, with its quartiles. */
  methods: Record<string, { ms: number; ratio: number; ratioQuartiles: [number, number] }>
  baseline: string
  date: string
  environment: Environment
}

export type ResultRecord = TrialRecord | StepTimesRecord

const file = 'results.jsonl'

/** The records of a run folder, the last of each id, in order of first appearance. */
export function readResults(folder: string): ResultRecord[] {
  const path = join(folder, file)
  if (!existsSync(path)) return []
  const byId = new Map<string, ResultRecord>()
  const lines = readFileSync(path, 'utf8').split('\n')
  for (const [i, line] of lines.entries()) {
    if (line === '') continue
    let record: ResultRecord
    try {
      record = JSON.parse(line)
    } catch {
      continue // A line that a killed process left unfinished.
    }
    if ((record.kind !== 'trial' && record.kind !== 'steps') || typeof record.id !== 'string')
      throw new Error(`readResults: line ${i + 1} of ${path} is no result of tfgraft-bench.`)
    byId.set(record.id, record)
  }
  return [...byId.values()]
}

/** Adds one record to a run folder, which is made if need be. */
export function appendResult(folder: string, record: ResultRecord): void {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, file)
  const unfinished = existsSync(path) && !/(^|\n)$/.test(readFileSync(path, 'utf8'))
  const descriptor = openSync(path, 'a')
  try {
    writeSync(descriptor, `${unfinished ? '\n' : ''}${JSON.stringify(record)}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Replaces a file as a whole: readers see the old or the new one, never a part, also when the machine stops. */
export function replaceFile(path: string, content: string | Uint8Array): void {
  const partial = `${path}.${hostname()}-${process.pid}.partial`
  const descriptor = openSync(partial, 'w')
  try {
    writeFileSync(descriptor, content)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(partial, path)
}
