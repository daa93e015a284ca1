/**
 * Where a trial stands, on disk: one file, replaced as a whole, so that a process that is killed at any moment leaves the last
 * checkpoint or the one before. The folder may be shared by machines.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { type CurvePoint, replaceFile } from './results'

/** All that the rest of a trial depends on. */
export interface TrialSnapshot {
  curve: CurvePoint[]
  /** Training seconds at each point of `curve`, and now. */
  seconds: number[]
  trainingSeconds: number
  /** Milliseconds of every step so far. */
  stepTimes: number[]
  /** What the training itself saved. */
  training: unknown
}

export interface TrialCheckpoint {
  /** Least seconds between two checkpoints; 0 saves after every step. */
  readonly everySeconds: number
  /** The last checkpoint of this trial, or `undefined`. */
  read(): TrialSnapshot | undefined
  write(snapshot: TrialSnapshot): void
  remove(): void
}

/** The format of the file. Checkpoints of another one are not read, and their trials start over. */
const version = 1

/** @param id Of the trial: checkpoints of other trials in the folder are left alone. */
export function trialCheckpoint(folder: string, id: string, everySeconds = 30): TrialCheckpoint {
  const path = join(folder, `${id.replaceAll(/[:/]/g, '_')}.checkpoint`)
  return {
    everySeconds,
    read() {
      if (!existsSync(path)) return undefined
      const stored = deserialize(readFileSync(path)) as {
        version: number
        id: string
        snapshot: TrialSnapshot
      }
      return stored.version === version && stored.id === id ? stored.snapshot : undefined
    },
    write(snapshot) {
      mkdirSync(folder, { recursive: true })
      replaceFile(path, serialize({ version, id, snapshot }))
    },
    remove: () => rmSync(path, { force: true }),
  }
}
