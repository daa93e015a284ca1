/** One op at one shape, as data: what to run, on what inputs, and what is true of it. */
import type * as tf from '@tensorflow/tfjs-core'

export interface Input {
  shape: number[]
  /** Uniform in `[from, to)`. @default -1 */
  from?: number
  /** @default 1 */
  to?: number
  /** Instead: shuffled values 0.1 apart and never near zero, for ops with kinks. */
  distinct?: boolean
  /** Instead: exactly these. */
  values?: number[]
  /** @default 'float32' */
  dtype?: 'int32' | 'bool'
  /** Not differentiated. @default false, true for integers and booleans */
  constant?: boolean
}

export interface OpCase {
  /** What the coverage page calls it. */
  name: string
  inputs: Input[]
  run: (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[]
  /** The op's definition, where tfjs-cpu is wrong or too coarse. */
  truth?: (...inputs: Float32Array[]) => { shape: number[]; data: ArrayLike<number> }[]
  /** Whether it has a gradient. @default true */
  gradient?: false
  /** Largest relative error allowed forward. @default 1e-5, on GPUs 2^-11 */
  forwardTolerance?: number
  /** The only backends that can run it at all, by tfjs's names. @default all */
  only?: string[]
  /** Stock kernels that write outside their memory here, so that stock must not be run: tfjs's name of the backend. */
  corruptsStock?: string[]
}

/** A small generator (mulberry32): the same values on every backend and machine. */
function generator(seed: number): () => number {
  let state = seed * 0x9e3779b9 + 1
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** The values of an input; equal arguments, equal values. */
export function deterministicValues(
  { shape, from = -1, to = 1, distinct, values, dtype }: Input,
  seed: number,
) {
  if (values) return Float32Array.from(values)
  const size = shape.reduce((a, b) => a * b, 1)
  const random = generator(seed + 1)
  if (distinct) {
    const order = Array.from({ length: size }, (_, i) => i)
    for (let i = size - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1))
      ;[order[i], order[j]] = [order[j]!, order[i]!]
    }
    return Float32Array.from(order, (rank) => (rank - Math.floor(size / 2)) * 0.1 + 0.05)
  }
  const uniform = Float32Array.from({ length: size }, () => from + (to - from) * random())
  return dtype ? uniform.map(Math.floor) : uniform
}
