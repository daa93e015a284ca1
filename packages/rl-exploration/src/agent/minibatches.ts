/** Which rows of a rollout make a minibatch: single rows, or for recurrent policies whole stretches of time. */
import type { SavableRandom } from '../networks/random'
import type { Rollout } from './rollout'

/** Rows of a minibatch. */
export interface Minibatch {
  /** For sequences, time-major: row `t * sequences + s`. */
  rows: Int32Array
  /** Number of sequences; their first rows are the first of `rows`. 0 for single rows. */
  sequences: number
}

/** Makes a function that deals a rollout anew for every epoch, shuffled by `random`. */
export function minibatches(
  { numSteps, numEnvs, memorySize }: Pick<Rollout, 'numSteps' | 'numEnvs' | 'memorySize'>,
  {
    numMinibatches,
    sequenceLength = numSteps,
    random,
  }: { numMinibatches: number; sequenceLength?: number; random: SavableRandom },
): () => Generator<Minibatch> {
  const recurrent = memorySize > 0
  const length = recurrent ? sequenceLength : 1
  // First rows of every stretch. For length 1, all rows.
  const starts = new Int32Array((numSteps * numEnvs) / length)
  for (let k = 0; k < starts.length; k++)
    starts[k] = Math.floor(k / numEnvs) * length * numEnvs + (k % numEnvs)
  const perMinibatch = Math.ceil(starts.length / numMinibatches)
  return function* deal() {
    random.shuffle(starts)
    for (let from = 0; from < starts.length; from += perMinibatch) {
      const chosen = starts.subarray(from, Math.min(starts.length, from + perMinibatch))
      // Normalised advantages need two samples.
      if (chosen.length * length < 2) continue
      if (!recurrent) yield { rows: chosen, sequences: 0 }
      else
        yield {
          rows: Int32Array.from(
            { length: chosen.length * length },
            (_, k) => chosen[k % chosen.length]! + Math.floor(k / chosen.length) * numEnvs,
          ),
          sequences: chosen.length,
        }
    }
  }
}
