/** The training loop: `model.fit` of tfjs, around any training step. */
import * as tf from '@tensorflow/tfjs-core'
import type { CallbackList, History } from '@tensorflow/tfjs-layers'
import type { TrainingSetup } from '../method'
import { createRandom, type Random, withSeededMathRandom } from '../random'
import {
  type BatchSource,
  datasetBatches,
  type FitData,
  isDataset,
  type OwnedBatch,
  tensorBatches,
  tensorsOf,
} from './batches'
import { callbackList, type FitCallback, type TrainingState, type YieldEvery } from './callbacks'
import { evaluateBatches, orderedBatches } from './evaluate'
import {
  type LoggedValue,
  logNames,
  type Metrics,
  namedMetrics,
  outputScalars,
  RunningMeans,
} from './metrics'

export interface FitOptions {
  /** Epoch at which training ends: with `initialEpoch` 2 and `epochs` 5, three epochs are trained. @default 1 */
  epochs?: number
  /** Examples per batch. Only for tensors: a dataset makes its own batches. @default 32 */
  batchSize?: number
  /** Batches per epoch, for a dataset that repeats. @default one pass over the dataset per epoch */
  batchesPerEpoch?: number
  /** Whether tensors are put in a new order for each epoch. @default true */
  shuffle?: boolean
  metrics?: Metrics
  /** Evaluated after each epoch; logged with the prefix `val_`. */
  validationData?: FitData
  /** The last part of the tensors that is held out for validation, in (0, 1). */
  validationSplit?: number
  /** tfjs callbacks, with the hooks and logs of `model.fit`. A step waits for its logs only if a callback asks for them. */
  callbacks?: FitCallback | readonly FitCallback[]
  /** Seeds the order of tensors, `StepContext.seed`, and unseeded random layers such as dropout. @default random */
  seed?: number
  /** Stops training after the current batch. The history keeps all finished epochs. */
  signal?: AbortSignal
  /** First epoch, to continue an earlier run. @default 0 */
  initialEpoch?: number
  /** Optimizer steps taken before, to continue an earlier run. @default 0 */
  initialStep?: number
  /** How often training yields to the event loop. @default 'auto', every 125 ms */
  yieldEvery?: YieldEvery
}

const list = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T])

function checkOptions(data: FitData, options: FitOptions): void {
  const { epochs = 1, batchSize, batchesPerEpoch, initialEpoch = 0, validationSplit, seed } = options
  const positive = { epochs, batchSize, batchesPerEpoch }
  for (const [name, value] of Object.entries(positive))
    if (value !== undefined && !(Number.isInteger(value) && value > 0))
      throw new Error(`fit: \`${name}\` must be a positive integer. Received ${name}=${value}.`)
  if (!(Number.isInteger(initialEpoch) && initialEpoch >= 0))
    throw new Error(`fit: \`initialEpoch\` must be an integer from 0. Received initialEpoch=${initialEpoch}.`)
  if (seed !== undefined && !Number.isFinite(seed))
    throw new Error(`fit: \`seed\` must be a finite number. Received seed=${seed}.`)
  if (validationSplit !== undefined && !(validationSplit > 0 && validationSplit < 1))
    throw new Error(
      `fit: \`validationSplit\` must lie in (0, 1). Received validationSplit=${validationSplit}.`,
    )
  if (validationSplit !== undefined && (options.validationData || isDataset(data)))
    throw new Error(
      'fit: `validationSplit` must come with tensors and without `validationData`. Received both.',
    )
  if (isDataset(data) && batchSize !== undefined)
    throw new Error(`fit: \`batchSize\` must be left to the dataset. Received batchSize=${batchSize}.`)
  if (!isDataset(data) && batchesPerEpoch !== undefined)
    throw new Error(`fit: \`batchesPerEpoch\` is for datasets. Received batchesPerEpoch=${batchesPerEpoch}.`)
}

/** Training and validation batches. `release` frees what was sliced off for them. */
function sources(setup: TrainingSetup, data: FitData, options: FitOptions, seed: number) {
  const { batchSize = 32, batchesPerEpoch, shuffle = true, validationData, validationSplit } = options
  const validation = validationData && orderedBatches(setup, validationData, batchSize)
  if (isDataset(data))
    return { training: datasetBatches(data, setup.model, batchesPerEpoch), validation, release: () => {} }
  const all = tensorsOf(data, setup.model)
  const shuffleSeed = shuffle ? seed : undefined
  if (validationSplit === undefined)
    return { training: tensorBatches(all, { batchSize, shuffleSeed }), validation, release: () => {} }

  const kept = Math.floor(all.size * (1 - validationSplit))
  if (kept === 0 || kept === all.size)
    throw new Error(
      `fit: \`validationSplit\` must leave both parts some examples. Received ${validationSplit} of ${all.size}.`,
    )
  const part = (begin: number, size: number): OwnedBatch => ({
    xs: all.xs.map((x) => tf.slice(x, begin, size)),
    ys: all.ys.map((y) => tf.slice(y, begin, size)),
    size,
  })
  const [train, held] = [part(0, kept), part(kept, all.size - kept)]
  return {
    training: tensorBatches(train, { batchSize, shuffleSeed }),
    validation: tensorBatches(held, { batchSize }),
    release: () => tf.dispose([train.xs, train.ys, held.xs, held.ys]),
  }
}

/** Takes one step and returns all logged values, in the order of the log names. */
function trainOnBatch(
  state: TrainingState,
  { xs, ys }: OwnedBatch,
  metrics: ReturnType<typeof namedMetrics>,
  random: Random,
): tf.Scalar[] {
  const { setup, epochs, steps } = state
  const stepSeed = random.fork(`step ${steps}`).integer(0, 2 ** 31)
  const one = <T>(tensors: T[]) => (tensors.length === 1 ? tensors[0]! : tensors)
  const { loss, predictions } = withSeededMathRandom(stepSeed, () =>
    setup.step(setup, { xs: one(xs), ys: one(ys) }, { epoch: epochs, step: steps, seed: stepSeed }),
  )
  try {
    return [loss, ...outputScalars(setup.loss, metrics, ys, predictions)]
  } catch (error) {
    loss.dispose()
    throw error
  } finally {
    tf.dispose(predictions)
  }
}

interface Run {
  state: { -readonly [key in keyof TrainingState]: TrainingState[key] }
  hooks: CallbackList
  metrics: ReturnType<typeof namedMetrics>
  names: readonly string[]
  random: Random
  signal?: AbortSignal
}

/** Trains one epoch and says whether it came to its end: a signal or a callback may stop it earlier. */
async function trainEpoch(
  { state, hooks, metrics, names, random, signal }: Run,
  source: BatchSource,
  means: RunningMeans,
): Promise<boolean> {
  let index = 0
  for await (const batch of source.epoch(state.epochs)) {
    const logs: Record<string, LoggedValue> = { batch: index, size: batch.size }
    try {
      await hooks.onBatchBegin(index, { ...logs })
      const values = trainOnBatch(state, batch, metrics, random)
      names.forEach((name, i) => {
        logs[name] = values[i]!
      })
      state.steps++
      try {
        await hooks.onBatchEnd(index, logs)
      } finally {
        // What a callback asked for are numbers now, and their tensors are disposed.
        const reading = means.add(
          names.map((name) => logs[name]!),
          batch.size,
        )
        if (reading) await reading
      }
    } finally {
      tf.dispose([batch.xs, batch.ys])
    }
    index++
    if (signal?.aborted || state.setup.model.stopTraining) return index === source.batches
  }
  return true
}

/**
 * Trains a setup: any model, optimizer, loss and step. For the plain step it does what `model.fit` does, without
 * `compile`: the same logs, the same callbacks, so tfjs-vis and `EarlyStopping` work as usual.
 *
 * The same seed on the same backend and machine gives the same losses. No tensor is left behind, except for what the
 * optimizer keeps.
 *
 * @param data Tensors `{xs, ys}` or `[xs, ys]` (arrays of tensors for several inputs or outputs), or a `tf.data`
 *   dataset of `{xs, ys}` batches.
 * @returns The tfjs `History`: `history.history.loss[epoch]`, and so on.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs'
 * import { adamW, defaultStep, fit } from '@tfgraft/core'
 *
 * const setup = {
 *   model: tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] }),
 *   optimizer: adamW({ learningRate: 0.1 }),
 *   loss: tf.metrics.meanSquaredError,
 *   step: defaultStep,
 * }
 * const xs = tf.randomNormal([64, 2])
 * const ys = tf.sum(xs, 1, true)
 * const { history } = await fit(setup, { xs, ys }, { epochs: 5, batchSize: 16, seed: 1, validationSplit: 0.25 })
 * console.log(history.loss, history.val_loss)
 * ```
 */
export async function fit(setup: TrainingSetup, data: FitData, options: FitOptions = {}): Promise<History> {
  checkOptions(data, options)
  const { epochs = 1, initialEpoch = 0, initialStep = 0, signal, yieldEvery = 'auto' } = options
  const { model } = setup
  // Until then a Sequential has no names of inputs and outputs, and cannot be stopped.
  if (!model.built) model.build(model.inputs[0]!.shape)
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31)
  const metrics = namedMetrics(options.metrics)
  const { training, validation, release } = sources(setup, data, options, seed)
  const names = logNames(model, metrics)
  const state = { setup, seed, epochs: initialEpoch, steps: initialStep }
  const params = {
    epochs,
    initialEpoch,
    verbose: 0,
    doValidation: validation !== undefined,
    metrics: validation ? [...names, ...names.map((name) => `val_${name}`)] : names,
    ...(training.examples && { samples: training.examples }),
    ...(training.batches && { steps: training.batches }),
    ...(!isDataset(data) && { batchSize: options.batchSize ?? 32 }),
  }
  const callbacks = list(options.callbacks ?? [])
  const { list: hooks, history } = callbackList({ callbacks, yieldEvery, state, params })
  const run: Run = { state, hooks, metrics, names, random: createRandom(seed), signal }

  try {
    await hooks.onTrainBegin()
    await history.onTrainBegin()
    model.stopTraining = false
    while (state.epochs < epochs && !signal?.aborted && !model.stopTraining) {
      const epoch = state.epochs
      await hooks.onEpochBegin(epoch)
      const means = new RunningMeans(names)
      try {
        const finished = await trainEpoch(run, training, means)
        if (signal?.aborted && !finished) break
        const logs = await means.read()
        if (finished) {
          state.epochs++
          const held = validation ? await evaluateBatches(setup, validation, metrics) : {}
          for (const [name, value] of Object.entries(held)) logs[`val_${name}`] = value
        }
        await hooks.onEpochEnd(epoch, logs)
        await history.onEpochEnd(epoch, logs)
      } finally {
        means.dispose()
      }
    }
    await hooks.onTrainEnd()
    return history
  } finally {
    release()
  }
}
