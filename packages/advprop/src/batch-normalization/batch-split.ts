/** Which rows of a batch go through which statistics: said with a call, or around code that does not know of splits. */

/** What a call may say beside tfjs's `training`. */
export interface SplitBatchNormalizationCall {
  training?: boolean
  /**
   * Rows for the main statistics, then for each auxiliary: `[24, 8]` sends the last 8 of 32 rows through the first
   * auxiliary, `[0, 32]` all of them. Models hand it on: `model.apply(x, { training: true, split: [24, 8] })`.
   * Without it the split of {@link withBatchSplit} counts, and without that every row uses the main statistics.
   */
  split?: readonly number[]
}

let ambientSplit: readonly number[] | undefined

/**
 * Routes the rows of every SplitBatchNormalization that `body` calls without a `split` of its own: for code that calls
 * a model but does not know about splits, such as another method's training step.
 *
 * @param split - rows for the main statistics, then for each auxiliary.
 * @param body - synchronous.
 * @returns what `body` returns.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { splitBatchNormalization, withBatchSplit } from '@tfgraft/advprop'
 *
 * const layer = splitBatchNormalization()
 * const x = tf.randomNormal([4, 3])
 * const y = withBatchSplit([0, 4], () => layer.apply(x)) // all rows through the auxiliary statistics
 * ```
 */
export function withBatchSplit<T>(split: readonly number[], body: () => T): T {
  const outer = ambientSplit
  ambientSplit = split
  try {
    return body()
  } finally {
    ambientSplit = outer
  }
}

/**
 * Rows per branch, the main one first, of a batch of `batchSize` rows: the call's own split, else that of
 * {@link withBatchSplit}, else all rows for the main branch.
 */
export function splitOf(
  batchSize: number,
  branches: number,
  split: readonly number[] = ambientSplit ?? [batchSize],
): readonly number[] {
  if (
    split.length > branches ||
    split.some((size) => !Number.isInteger(size) || size < 0) ||
    split.reduce((a, b) => a + b, 0) !== batchSize
  )
    throw new Error(
      `SplitBatchNormalization: \`split\` must hold at most ${branches} row counts that sum to the ` +
        `batch size ${batchSize}. Received split=[${split}].`,
    )
  return split
}
