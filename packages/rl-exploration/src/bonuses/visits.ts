/** Which observations were seen, in an episode and ever: observations are told apart by a 53-bit hash of their bits. */
import type { Experience } from './bonus'

/** Hashes of the rows of `values`, `size` float32 values each: two multiplicative 32-bit hashes side by side. */
export function hashRows(values: Float32Array, size: number, out: Float64Array): Float64Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let row = 0, at = 0; at < bits.length; row++) {
    let [a, b] = [0x9e3779b9, 0x85ebca6b]
    for (let k = 0; k < size; k++) {
      const word = bits[at++]!
      a = Math.imul(a ^ word, 0x01000193)
      a ^= a >>> 15
      b = Math.imul(b ^ word, 0x5bd1e995)
      b ^= b >>> 13
    }
    out[row] = (a >>> 0) * 2 ** 21 + (b >>> 11)
  }
  return out
}

/** Hashes of the observations that each episode in progress has seen. */
export type EpisodicVisitsState = number[][]

/** Remembers the observations of each episode in progress. */
export class EpisodicVisits {
  private readonly counts: Map<number, number>[]

  constructor(numEnvs: number) {
    this.counts = Array.from({ length: numEnvs }, () => new Map())
  }

  /** Per row, how often its next observation has been seen in its episode, itself included. Ends start anew. */
  visitCounts(experience: Experience, hashes = hashNext(experience)): Int32Array {
    const { numEnvs, ended } = experience
    return Int32Array.from(hashes, (hash, row) => {
      const seen = this.counts[row % numEnvs]!
      const count = (seen.get(hash) ?? 0) + 1
      if (ended[row]) seen.clear()
      else seen.set(hash, count)
      return count
    })
  }

  /** Per row, whether its next observation is seen for the first time in its episode. */
  firstVisits(experience: Experience, hashes?: Float64Array): boolean[] {
    return Array.from(this.visitCounts(experience, hashes), (count) => count === 1)
  }

  save(): EpisodicVisitsState {
    return this.counts.map((seen) => [...seen].flat())
  }

  load(state: EpisodicVisitsState): void {
    this.counts.forEach((seen, env) => {
      seen.clear()
      const flat = state[env]!
      for (let k = 0; k < flat.length; k += 2) seen.set(flat[k]!, flat[k + 1]!)
    })
  }
}

/** Hashes of the next observations of a rollout. */
export function hashNext({ nextObservations, numSteps, numEnvs }: Experience): Float64Array {
  const rows = numSteps * numEnvs
  return hashRows(nextObservations, nextObservations.length / rows, new Float64Array(rows))
}
