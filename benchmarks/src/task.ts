/**
 * The contract of a benchmark task: data, a baseline setup, a way to train it, and metrics.
 *
 * The harness knows methods only as `Method`: a trial is `task.start(method, ...)`, whatever the method does to the
 * setup. `S` is the kind of setup that the task trains (`TrainingSetup`, or the agents' one).
 */
import type { Method } from '@tfgraft/core'

/** Settings of one trial, such as `{ learningRate: 0.1, tau: 0.05 }`: the task reads its own, the method its own. */
export type Hyperparameters = Readonly<Record<string, number | string | boolean>>

/** A number that a task reports about a trained model. */
export interface Metric {
  name: string
  /** As it stands in tables, such as `test accuracy`. */
  title: string
  better: 'higher' | 'lower'
  /** @default 'number' */
  format?: 'percent' | 'number'
}

/** What kind of setup a task trains and a method changes: a `TrainingSetup`, or an `AgentSetup` of PPO. */
export type SetupKind = 'supervised' | 'agent'

/** How one method is set for one task. */
export interface MethodSettings {
  chosen: Hyperparameters
  /** What `tfgraft-bench tune` tries. Equal length for all methods of a task: equal tuning effort. */
  grid: readonly Hyperparameters[]
  /** Whether `chosen` is the grid's best on the validation split; if not, the report says `not tuned`. */
  validated: boolean
}

export interface LoadOptions {
  /** `test` trains on the whole training set; `validation` holds a part of it out, for tuning. */
  evaluateOn: 'test' | 'validation'
  /** At most this many training examples, for a quick look. */
  limit?: number
  onProgress?: (message: string) => void
}

export interface Task<S = unknown> {
  /** Unique, kebab-case: what `--tasks` takes. */
  readonly name: string
  readonly title: string
  /** Two or three sentences for the report: data, model, what is the same for all methods. */
  readonly summary: string
  readonly kind: SetupKind
  /** What the horizontal axis counts. @default 'epoch' */
  readonly epochTitle?: string
  /** Default length of a trial. */
  readonly epochs: number
  /** The first is the one that tables rank by. */
  readonly metrics: readonly Metric[]
  /** A value of the first metric: tables show the time until it is reached. */
  readonly target?: number
  /** A method that is not listed runs with the settings of `backprop`, and the report says so. */
  readonly settings: Readonly<Record<string, MethodSettings>>
  load(options: LoadOptions): Promise<LoadedTask<S>>
}

export interface LoadedTask<S = unknown> {
  /** Applies `method` to the baseline setup. Same seed: same initial weights and same order of batches. */
  start(method: Method<S>, hyperparameters: Hyperparameters, seed: number): Promise<Training>
  dispose(): void
}

/** A picture for the report. */
export interface Picture {
  title: string
  /** `data:` URI of an image. */
  uri: string
}

/** One model under training. */
export interface Training {
  readonly parameters: number
  readonly stepsPerEpoch: number
  /** Trains for `epochs`, and stops soon after `signal` aborts. */
  train(watch: TrainingWatch): Promise<void>
  /** All metrics of the task, on the held-out data. */
  evaluate(): Promise<Record<string, number>>
  /** What the report shows of the trained model beside its numbers. */
  pictures?(): Promise<Picture[]>
  /**
   * Everything that another process needs to go on from here, ready for `v8.serialize`. Called within `onStep` and after
   * `onEpoch`, but not after the last step of an epoch. A training without `save` starts over when its process has died.
   */
  save?(): Promise<unknown>
  /** Before `train`: takes over what `save` returned, so that all that follows is as if nothing had happened. */
  load?(state: unknown): Promise<void>
  /** One training step on a fixed batch, complete when the promise resolves: for step times and memory. */
  step(): Promise<void>
  dispose(): void
}

/** One training step, for the live display. */
export interface StepReport {
  loss: number
  accuracy?: number
  /** What the display says instead of loss, accuracy and training steps per second. */
  status?: string
}

export interface TrainingWatch {
  epochs: number
  signal: AbortSignal
  /** After every step. Awaited, so that it may yield to the event loop. */
  onStep(step: StepReport): void | Promise<void>
  /** After every epoch, with its mean training loss. */
  onEpoch(epoch: { loss: number; accuracy?: number }): void | Promise<void>
}
