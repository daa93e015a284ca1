/** Minibatches from tensors or from a `tf.data` dataset, in an order that depends on seed and epoch only. */
import * as tf from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { Batch } from '../method'
import { createRandom } from '../random'

/** What `fit` needs of a `tf.data.Dataset` of `{xs, ys}` batches. */
export interface BatchDataset {
  iterator(): Promise<{ next(): Promise<IteratorResult<unknown>> }>
  /** Number of batches, where known. */
  readonly size?: number | null
}

/** All examples as tensors, or a dataset that yields batches. */
export type FitData = Batch | readonly [Batch['xs'], Batch['ys']] | BatchDataset

/** A batch whose tensors belong to the receiver, which disposes them. */
export interface OwnedBatch {
  xs: tf.Tensor[]
  ys: tf.Tensor[]
  size: number
}

export interface BatchSource {
  /** Number of examples, where known. */
  readonly examples?: number
  /** Number of batches per epoch, where known. */
  readonly batches?: number
  epoch(epoch: number): AsyncIterable<OwnedBatch>
}

export interface TensorBatchOptions {
  batchSize: number
  /** Seed of the order, or no shuffling. */
  shuffleSeed?: number
}

const list = <T>(value: T | readonly T[]): T[] => (Array.isArray(value) ? [...value] : [value as T])

export const isDataset = (data: FitData): data is BatchDataset =>
  typeof (data as BatchDataset).iterator === 'function'

/** The tensors of `data`, checked against the model's inputs and outputs. */
export function tensorsOf(data: Exclude<FitData, BatchDataset>, model: LayersModel): OwnedBatch {
  const [xs, ys] = 'xs' in data ? [data.xs, data.ys] : data
  return checked({ xs: list(xs), ys: list(ys) }, model)
}

function checked({ xs, ys }: { xs: tf.Tensor[]; ys: tf.Tensor[] }, model: LayersModel): OwnedBatch {
  if (xs.length !== model.inputs.length || ys.length !== model.outputs.length)
    throw new Error(
      `fit: the model has ${model.inputs.length} inputs and ${model.outputs.length} outputs. ` +
        `Received ${xs.length} tensors in xs and ${ys.length} in ys.`,
    )
  const sizes = [...xs, ...ys].map((tensor) => tensor.shape[0])
  if (sizes.some((size) => size !== sizes[0]) || !sizes[0])
    throw new Error(
      `fit: all tensors must have the same positive number of examples. Received ${sizes.join(', ')}.`,
    )
  return { xs, ys, size: sizes[0] }
}

/** Batches of examples held as tensors; the last one may be smaller. */
export function tensorBatches(data: OwnedBatch, { batchSize, shuffleSeed }: TensorBatchOptions): BatchSource {
  return {
    examples: data.size,
    batches: Math.ceil(data.size / batchSize),
    async *epoch(epoch) {
      const order =
        shuffleSeed === undefined
          ? undefined
          : Int32Array.from(
              createRandom(shuffleSeed)
                .fork(`epoch ${epoch}`)
                .shuffle(Int32Array.from({ length: data.size }, (_, i) => i)),
            )
      for (let start = 0; start < data.size; start += batchSize) {
        const size = Math.min(batchSize, data.size - start)
        const take = (tensors: tf.Tensor[]) =>
          order
            ? gatherAll(tensors, order.subarray(start, start + size))
            : tensors.map((x) => tf.slice(x, start, size))
        yield { xs: take(data.xs), ys: take(data.ys), size }
      }
    },
  }
}

function gatherAll(tensors: tf.Tensor[], indices: Int32Array): tf.Tensor[] {
  return tf.tidy(() => {
    const rows = tf.tensor1d(indices, 'int32')
    return tensors.map((x) => tf.gather(x, rows))
  })
}

function named(value: unknown, names: readonly string[], what: string): tf.Tensor[] {
  if (value instanceof tf.Tensor) return [value]
  if (Array.isArray(value)) return value as tf.Tensor[]
  const map = value as Record<string, tf.Tensor> | undefined
  return names.map((name) => {
    const tensor = map?.[name]
    if (!(tensor instanceof tf.Tensor))
      throw new Error(
        `fit: the dataset must yield ${what} with the key "${name}". Received ${Object.keys(map ?? {})}.`,
      )
    return tensor
  })
}

/**
 * Batches of a dataset. With `batchesPerEpoch`, one pass over the dataset spans epochs, and starts over when it ends;
 * without, each epoch is one pass.
 */
export function datasetBatches(
  dataset: BatchDataset,
  model: LayersModel,
  batchesPerEpoch?: number,
): BatchSource {
  let open: Awaited<ReturnType<BatchDataset['iterator']>> | undefined
  return {
    batches: batchesPerEpoch ?? (Number.isFinite(dataset.size) ? dataset.size! : undefined),
    async *epoch() {
      if (!batchesPerEpoch) open = undefined
      for (let count = 0, fresh = false; count < (batchesPerEpoch ?? Number.POSITIVE_INFINITY); ) {
        if (!open) [open, fresh] = [await dataset.iterator(), true]
        const { value, done } = await open.next()
        if (done) {
          open = undefined
          if (!batchesPerEpoch && count) return
          if (fresh) throw new Error('fit: the dataset must not be empty. Received no batch.')
          continue
        }
        fresh = false
        count++
        const { xs, ys } = (value ?? {}) as { xs?: unknown; ys?: unknown }
        yield checked(
          { xs: named(xs, model.inputNames, 'xs'), ys: named(ys, model.outputNames, 'ys') },
          model,
        )
      }
    },
  }
}
