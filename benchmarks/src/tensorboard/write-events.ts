/** The curves of a run as TensorBoard shows them: `tensorboard --logdir <run>/tensorboard`. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile, type TrialRecord } from '../results'
import type { Task } from '../task'
import { eventFile, type ScalarEvent } from './event-file'

/** One folder per trial, `<task>/<method>/seed-<seed>`. Written anew from the results, to the same file. */
export function writeEvents(
  folder: string,
  trials: readonly TrialRecord[],
  titles: Pick<Task, 'name' | 'metrics'>[],
): void {
  for (const trial of trials) {
    const { task, method, seed } = trial.config
    const trialFolder = join(folder, task, method, `seed-${seed}`)
    mkdirSync(trialFolder, { recursive: true })
    const metrics = titles.find(({ name }) => name === task)?.metrics ?? []
    const events = eventsOf(trial, (name) => metrics.find((metric) => metric.name === name)?.title ?? name)
    // The name says when the trial ended: a later one of the same configuration is another file to TensorBoard.
    const seconds = Math.floor(Date.parse(trial.date) / 1000)
    replaceFile(join(trialFolder, `events.out.tfevents.${seconds}.tfgraft`), eventFile(events))
  }
}

/** Metrics and training loss at every point of the curve. */
export function eventsOf(
  { date, curve, stepsPerEpoch, timing }: TrialRecord,
  titleOf: (metric: string) => string,
): ScalarEvent[] {
  const start = Date.parse(date) / 1000
  return curve.flatMap(({ epoch, trainLoss, metrics }, index) => {
    const at = { wallTime: start + timing.seconds[index]!, step: epoch * stepsPerEpoch }
    const scalars = Object.entries(metrics).map(([name, value]) => ({ ...at, tag: titleOf(name), value }))
    return trainLoss === undefined ? scalars : [...scalars, { ...at, tag: 'training loss', value: trainLoss }]
  })
}
