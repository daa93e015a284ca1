/** One trial: a task, trained by one method from one seed. */
import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import * as tf from '@tensorflow/tfjs-core'
import type { Method } from '@tfgraft/core'
import { median } from 'simple-statistics'
import type { CurvePoint, TrialConfig, TrialRecord } from './results'
import type { LoadedTask, Task, Training } from './task'
import type { TrialCheckpoint } from './trial-checkpoint'

/** Where a trial stands, for the progress display. */
export interface TrialProgress {
  epoch: number
  epochs: number
  step: number
  steps: number
  loss: number
  accuracy?: number
  /** In the task's own words, where it has some. */
  status?: string
  stepsPerSecond: number
  /** Estimated from the trial's own pace, evaluations included. */
  secondsLeft: number
}

export interface RunTrialOptions {
  signal: AbortSignal
  onProgress: (progress: TrialProgress) => void
  /** Where the trial is saved now and then, and taken up again. @default nowhere */
  checkpoint?: TrialCheckpoint
  /** Remarks, such as that a trial goes on from a checkpoint. */
  log?: (line: string) => void
}

type Outcome = Pick<
  TrialRecord,
  'status' | 'error' | 'parameters' | 'stepsPerEpoch' | 'curve' | 'peakBytes' | 'timing' | 'pictures'
>

/** `task:method:seed:hash of everything else`. */
export function trialId({ task, method, seed, ...rest }: TrialConfig): string {
  const sorted = (value: unknown): unknown =>
    value && typeof value === 'object'
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([, entry]) => entry !== undefined)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, entry]) => [key, sorted(entry)]),
        )
      : value
  const hash = createHash('sha256')
    .update(JSON.stringify(sorted(rest)))
    .digest('hex')
    .slice(0, 8)
  return `${task}:${method}:${seed}:${hash}`
}

/** The first steps compile kernels, grow the heap and warm the caches. */
const warmUpSteps = 10
/** Longest time without giving the event loop a turn: how soon Ctrl-C is noticed and the display redrawn. */
const turnEveryMs = 100

/** Trains and evaluates. A method that throws is an outcome (`failed`), not an exception. */
export async function runTrial(
  task: Task,
  loaded: LoadedTask,
  method: Method<unknown>,
  config: TrialConfig,
  options: RunTrialOptions,
): Promise<Outcome> {
  const { signal } = options
  const outcome: Outcome = {
    status: 'finished',
    parameters: 0,
    stepsPerEpoch: 0,
    curve: [],
    timing: { seconds: [] },
  }
  const bytesBefore = tf.memory().numBytes
  let training: Training | undefined
  try {
    training = await loaded.start(method, config.hyperparameters, config.seed)
    outcome.parameters = training.parameters
    outcome.stepsPerEpoch = training.stepsPerEpoch
    await trainAndEvaluate(task, training, config, outcome, options)
    if (outcome.status === 'finished' && training.pictures) outcome.pictures = await training.pictures()
    if (outcome.status === 'finished') outcome.peakBytes = (await peakBytesOfStep(training)) - bytesBefore
  } catch (error) {
    outcome.status = signal.aborted ? 'interrupted' : 'failed'
    if (!signal.aborted) outcome.error = (error as Error).message
  } finally {
    training?.dispose()
  }
  return outcome
}

async function trainAndEvaluate(
  task: Task,
  training: Training,
  { epochs }: TrialConfig,
  outcome: Outcome,
  { signal, onProgress, checkpoint, log }: RunTrialOptions,
): Promise<void> {
  const { stepsPerEpoch } = training
  const diverged = new AbortController()
  const stepTimes: number[] = []
  const steps = epochs * stepsPerEpoch
  let trainingSeconds = 0
  let lastTurn = performance.now()
  let resumedAt = 0

  const evaluate = async (epoch: number, trainLoss?: number) => {
    const metrics = await training.evaluate()
    for (const { name } of task.metrics)
      if (typeof metrics[name] !== 'number')
        throw new Error(
          `${task.name}: evaluate() must return the metric '${name}'. Received ${JSON.stringify(metrics)}.`,
        )
    const point: CurvePoint = trainLoss === undefined ? { epoch, metrics } : { epoch, trainLoss, metrics }
    outcome.curve.push(point)
    outcome.timing.seconds.push(trainingSeconds)
    resumedAt = performance.now()
  }

  const before = training.load && checkpoint?.read()
  if (before) {
    await training.load!(before.training)
    outcome.curve.push(...before.curve)
    outcome.timing.seconds.push(...before.seconds)
    stepTimes.push(...before.stepTimes)
    trainingSeconds = before.trainingSeconds
    resumedAt = performance.now()
    log?.(`goes on from step ${stepTimes.length} of ${steps}`)
  } else await evaluate(0)

  let lastSave = performance.now()
  /** At a moment that `Training.save` allows. */
  const save = async (now: number) => {
    if (!checkpoint || !training.save) return
    if (!signal.aborted && now - lastSave < 1000 * checkpoint.everySeconds) return
    const { curve, timing } = outcome
    const state = { curve, seconds: timing.seconds, trainingSeconds, stepTimes }
    checkpoint.write({ ...state, training: await training.save() })
    lastSave = performance.now()
  }

  const started = performance.now()
  const stepsBefore = stepTimes.length
  try {
    await training.train({
      epochs,
      signal: AbortSignal.any([signal, diverged.signal]),
      onStep: async ({ loss, accuracy, status }) => {
        const now = performance.now()
        stepTimes.push(now - resumedAt)
        trainingSeconds += (now - resumedAt) / 1000
        const step = stepTimes.length
        if (!Number.isFinite(loss)) diverged.abort()
        onProgress({
          epoch: Math.min(epochs, Math.floor((step - 1) / stepsPerEpoch) + 1),
          epochs,
          step,
          steps,
          loss,
          ...(accuracy === undefined ? {} : { accuracy }),
          ...(status === undefined ? {} : { status }),
          stepsPerSecond: step / trainingSeconds,
          secondsLeft: ((now - started) / 1000 / (step - stepsBefore)) * (steps - step),
        })
        if (now - lastTurn > turnEveryMs) {
          await nextTurn()
          lastTurn = performance.now()
        }
        if (step % stepsPerEpoch && !diverged.signal.aborted) await save(now)
        resumedAt = performance.now()
      },
      onEpoch: async ({ loss }) => {
        if (signal.aborted || diverged.signal.aborted) return
        await evaluate(outcome.curve.length, loss)
        await save(performance.now())
        resumedAt = performance.now()
      },
    })
  } catch (error) {
    if (!diverged.signal.aborted) throw error
  } finally {
    if (stepTimes.length > warmUpSteps) outcome.timing.msPerStep = median(stepTimes.slice(warmUpSteps))
  }
  if (signal.aborted) outcome.status = 'interrupted'
  else if (diverged.signal.aborted) outcome.status = 'diverged'
}

/** Most tensor bytes alive at the end of any kernel of one training step (scratch inside kernels is not counted). */
async function peakBytesOfStep(training: Training): Promise<number> {
  await training.step()
  const { peakBytes } = await tf.profile(() => training.step())
  return peakBytes
}
