/** Checkpoints: a run of `fit` that stops, for whatever reason, goes on as if it had not. */
import * as tf from '@tensorflow/tfjs-core'
import { Callback, type LayersModel } from '@tensorflow/tfjs-layers'
import type { TrainingState } from '../fit/callbacks'
import type { TrainingSetup } from '../method'
import type { NamedTensor } from '../optimizers/named-tensor'
import { fileCheckpoint, hasFileSystem } from './file-checkpoint'
import { optimizerState, restoreOptimizer } from './optimizer-state'

/**
 * Where a checkpoint lives: in Node a folder; a URL of any scheme that tfjs can save to, such as
 * `indexeddb://my-run` in a browser; or an IO handler.
 */
export type CheckpointLocation = string | tf.io.IOHandler

/** What a checkpoint holds beside the model in the format of tfjs, in its user-defined metadata. */
interface CheckpointMetadata {
  epochs: number
  steps: number
  seed: number
  optimizer: string
  /** Names of the model's variables, in order: slots of the optimizer are named after them. */
  variables: string[]
  scalars: Record<string, number>
}

const metadataKey = 'tfgraftCheckpoint'

function handlerOf(location: CheckpointLocation, action: 'save' | 'load'): tf.io.IOHandler {
  if (typeof location !== 'string') return location
  if (!location.includes('://') && hasFileSystem()) return fileCheckpoint(location)
  const handlers = action === 'save' ? tf.io.getSaveHandlers(location) : tf.io.getLoadHandlers(location)
  if (handlers.length !== 1)
    throw new Error(
      `checkpointTo: \`location\` must be a folder (in Node), a URL that tfjs can ${action}, or an IO handler. ` +
        `Received ${location}.`,
    )
  return handlers[0]!
}

const variableNames = (model: LayersModel) =>
  model.weights.map((weight) => (weight.read() as tf.Variable).name)

async function artifactsOf(model: LayersModel): Promise<tf.io.ModelArtifacts> {
  let artifacts: tf.io.ModelArtifacts | undefined
  await model.save(
    tf.io.withSaveHandler(async (saved) => {
      artifacts = saved
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
    }),
  )
  return artifacts!
}

/**
 * Saves where training stands, as {@link checkpointTo} does after each epoch, at any moment between two steps: for training
 * loops of one's own, and for callbacks that save in the middle of long epochs. A checkpoint of the middle holds the steps
 * taken; which batches of the epoch are behind it is for the caller to remember.
 *
 * @param location As for {@link checkpointTo}.
 * @param state What a callback receives through `setTrainingState`, or the same put together by hand.
 * @throws When the optimizer has no `getWeights`.
 *
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import * as tf from '@tensorflow/tfjs'
 * import { defaultStep, resumeFrom, saveCheckpoint } from '@tfgraft/core'
 *
 * const setup = {
 *   model: tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] }),
 *   optimizer: tf.train.adam(0.01),
 *   loss: tf.metrics.meanSquaredError,
 *   step: defaultStep,
 * }
 * const batch = { xs: tf.ones([8, 2]), ys: tf.zeros([8, 1]) }
 * for (let step = 0; step < 3; step++) {
 *   const { loss, predictions } = setup.step(setup, batch, { epoch: 0, step, seed: step })
 *   tf.dispose([loss, predictions])
 * }
 * const folder = await mkdtemp(`${tmpdir()}/run-`)
 * await saveCheckpoint(folder, { setup, seed: 0, epochs: 0, steps: 3 })
 * console.log(await resumeFrom(folder, setup)) // { initialEpoch: 0, initialStep: 3, seed: 0 }
 * ```
 */
export async function saveCheckpoint(location: CheckpointLocation, state: TrainingState): Promise<void> {
  const { setup, epochs, steps, seed } = state
  const { model, optimizer } = setup
  const { weights, scalars, release } = await optimizerState(optimizer)
  try {
    const artifacts = await artifactsOf(model)
    const { data, specs } = await tf.io.encodeWeights(weights, 'optimizer')
    const metadata: CheckpointMetadata = {
      epochs,
      steps,
      seed,
      optimizer: optimizer.getClassName(),
      variables: variableNames(model),
      scalars,
    }
    const parts = [tf.io.CompositeArrayBuffer.join(artifacts.weightData), data]
    await handlerOf(location, 'save').save!({
      ...artifacts,
      weightSpecs: [...artifacts.weightSpecs!, ...specs],
      weightData: tf.io.CompositeArrayBuffer.join(parts),
      userDefinedMetadata: { ...artifacts.userDefinedMetadata, [metadataKey]: metadata },
    })
  } finally {
    release()
  }
}

export interface CheckpointOptions {
  /** Epochs between two checkpoints; the last epoch is always saved. @default 1 */
  every?: number
}

class Checkpoint extends Callback {
  private state?: TrainingState

  constructor(
    private readonly location: CheckpointLocation,
    private readonly every: number,
  ) {
    super()
  }

  setTrainingState(state: TrainingState): void {
    this.state = state
  }

  override async onTrainBegin(): Promise<void> {
    if (!this.state)
      throw new Error('checkpointTo: the callback must run in `fit` of @tfgraft/core. Received model.fit.')
  }

  override async onEpochEnd(epoch: number): Promise<void> {
    const { epochs } = this.state!
    if (epochs !== epoch + 1) return // stopped in the middle: the last whole epoch stands
    if (epochs % this.every === 0 || epochs === this.params.epochs)
      await saveCheckpoint(this.location, this.state!)
  }
}

/**
 * A callback for {@link fit} that saves the model, the optimizer and where training stands after each epoch, so that
 * {@link resumeFrom} can go on. In a folder the new checkpoint replaces the old one atomically: a crash at any moment
 * leaves a whole one. What is saved is a model in the format of tfjs, which `tf.loadLayersModel` loads too.
 *
 * @param location In Node a folder; a URL of any scheme that tfjs can save to, such as `indexeddb://my-run` in a
 *   browser; or an IO handler.
 *
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import * as tf from '@tensorflow/tfjs'
 * import { adamW, checkpointTo, defaultStep, fit, resumeFrom } from '@tfgraft/core'
 *
 * const newSetup = () => ({
 *   model: tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] }),
 *   optimizer: adamW({ learningRate: 0.01 }),
 *   loss: tf.metrics.meanSquaredError,
 *   step: defaultStep,
 * })
 * const folder = await mkdtemp(`${tmpdir()}/run-`)
 * const data = { xs: tf.ones([8, 2]), ys: tf.zeros([8, 1]) }
 * await fit(newSetup(), data, { epochs: 2, callbacks: checkpointTo(folder) })
 *
 * // Later, in another process: the same curve goes on at epoch 2.
 * const setup = newSetup()
 * await fit(setup, data, { ...(await resumeFrom(folder, setup)), epochs: 4, callbacks: checkpointTo(folder) })
 * ```
 */
export function checkpointTo(
  location: CheckpointLocation,
  { every = 1 }: CheckpointOptions = {},
): Callback & { setTrainingState(state: TrainingState): void } {
  if (!(Number.isInteger(every) && every > 0))
    throw new Error(`checkpointTo: \`every\` must be a positive integer. Received every=${every}.`)
  handlerOf(location, 'save') // a bad location is an error now, not after the first epoch
  return new Checkpoint(location, every)
}

/** What {@link fit} needs in order to go on. */
export interface ResumeOptions {
  initialEpoch: number
  initialStep: number
  seed: number
}

/** Reads weights by position: names are not unique across nested models, and differ for a rebuilt model. */
function decode({ weightSpecs = [], weightData }: tf.io.ModelArtifacts): tf.io.WeightsManifestEntry[] & {
  tensors: tf.Tensor[]
} {
  const numbered = weightSpecs.map((spec, i) => ({ ...spec, name: String(i) }))
  const decoded = tf.io.decodeWeights(tf.io.CompositeArrayBuffer.join(weightData), numbered)
  return Object.assign([...weightSpecs], { tensors: weightSpecs.map((_, i) => decoded[i]!) })
}

function setModelWeights(model: LayersModel, tensors: tf.Tensor[]): void {
  const shapes = (list: readonly { shape: (number | null)[] }[]) =>
    list.map(({ shape }) => `[${shape}]`).join(' ')
  if (shapes(tensors) !== shapes(model.weights))
    throw new Error(
      `resumeFrom: the checkpoint must come from a model of the same weights as ${model.name}, ` +
        `${shapes(model.weights)}. Received ${shapes(tensors)}.`,
    )
  model.setWeights(tensors)
}

/**
 * Puts a checkpoint into a setup that was built as the one that wrote it: weights, optimizer, and the place to go on.
 * With the same data and options, the losses that follow are those of a run that was never interrupted, on the same
 * backend to the last bit.
 *
 * @returns Options for {@link fit}: `initialEpoch`, `initialStep` and `seed`.
 * @throws When there is no checkpoint, or one of another model or optimizer.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs'
 * import { checkpointTo, defaultStep, fit, resumeFrom } from '@tfgraft/core'
 *
 * let stored: tf.io.ModelArtifacts
 * const memory: tf.io.IOHandler = {
 *   save: async (artifacts) => {
 *     stored = artifacts
 *     return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
 *   },
 *   load: async () => stored,
 * }
 * const setup = {
 *   model: tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] }),
 *   optimizer: tf.train.adam(0.01),
 *   loss: tf.metrics.meanSquaredError,
 *   step: defaultStep,
 * }
 * const data = { xs: tf.ones([8, 2]), ys: tf.zeros([8, 1]) }
 * await fit(setup, data, { epochs: 3, seed: 7, callbacks: checkpointTo(memory) })
 * console.log(await resumeFrom(memory, setup)) // { initialEpoch: 3, initialStep: 3, seed: 7 }
 * ```
 */
export async function resumeFrom(
  location: CheckpointLocation,
  { model, optimizer }: Pick<TrainingSetup, 'model' | 'optimizer'>,
): Promise<ResumeOptions> {
  const artifacts = await handlerOf(location, 'load').load!()
  const metadata = artifacts.userDefinedMetadata?.[metadataKey as never] as CheckpointMetadata | undefined
  if (!metadata)
    throw new Error('resumeFrom: the model must be a checkpoint of `checkpointTo`. Received a plain model.')
  if (metadata.optimizer !== optimizer.getClassName())
    throw new Error(
      `resumeFrom: the optimizer must be ${metadata.optimizer}, as in the checkpoint. Received ${optimizer.getClassName()}.`,
    )
  const specs = decode(artifacts)
  const weights = specs.map(({ name, group }, i): NamedTensor & { group?: string } => ({
    name,
    group,
    tensor: specs.tensors[i]!,
  }))
  try {
    setModelWeights(
      model,
      weights.filter(({ group }) => group !== 'optimizer').map(({ tensor }) => tensor),
    )
    const names = variableNames(model)
    const renames = new Map(metadata.variables.map((name, i) => [name, names[i]!]))
    const slots = weights.filter(({ group }) => group === 'optimizer')
    await restoreOptimizer(optimizer, slots, metadata.scalars, renames)
  } finally {
    tf.dispose(specs.tensors)
  }
  return { initialEpoch: metadata.epochs, initialStep: metadata.steps, seed: metadata.seed }
}
