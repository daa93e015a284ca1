/**
 * Random tensors and dropout, 3 to 8 times as fast as tfjs's on wasm, from a counter-based generator (`philox.ts`): the same
 * numbers for any number of threads, and a dropout mask that its gradient computes again instead of keeping it.
 *
 * tfjs draws one number at a time in JavaScript (Alea, and Marsaglia's polar method), on the host, on every backend. With a seed its
 * numbers are fixed, so those functions stay as they are; these are others, with seeds of their own.
 */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '../define-op/define-op'
import type { Op } from '../define-op/op'
import { kernels } from '../generated/kernels'
import { type Key, keyOf, philoxWords } from './philox'

type Kind = 'uniform' | 'normal' | 'truncatedNormal'

/** As in `assembly/random.ts`. */
const codes: Record<Kind, number> = { uniform: 0, normal: 1, truncatedNormal: 2 }
/** Nanoseconds of an element. */
const costs: Record<Kind, number> = { uniform: 1, normal: 3, truncatedNormal: 2 }

interface Attributes {
  kind: Kind
  shape: number[]
  key: Key
  /** y = offset + scale sample */
  scale: number
  offset: number
}

const unit = (word: number) => (word >>> 8) / 2 ** 24
const middle = (word: number) => ((word >>> 9) + 0.5) / 2 ** 23

/** The part of the normal distribution within two standard deviations. */
const withinTwo = 0.9544997361036416

/** The quantile function within them, of which the kernel has a fit: v P(v^2) / Q(v^2). */
function truncated(word: number): number {
  const v = (2 * middle(word) - 1) * withinTwo
  const s = v * v
  const horner = (...c: number[]) => c.reduce((sum, each) => sum * s + each)
  const p = horner(
    0.047738483149482036,
    -0.7278838587280589,
    2.462107166637089,
    -3.032812220490634,
    1.2533141646469543,
  )
  const q = horner(0.11252294554703231, -0.9526531168775179, 2.522554765443119, -2.681630658045632, 1)
  return Math.min(Math.max((v * p) / q, -2), 2)
}

/** Box and Muller, 1958: words 0 and 1 of a counter make two numbers, and words 2 and 3. */
function normal(words: Uint32Array, i: number): number {
  const first = i & ~4
  const radius = Math.sqrt(-2 * Math.log(middle(words[first]!)))
  const angle = 2 * Math.PI * unit(words[first + 4]!)
  return radius * (i & 4 ? Math.cos(angle) : Math.sin(angle))
}

const samples: Record<Kind, (words: Uint32Array, i: number) => number> = {
  uniform: (words, i) => unit(words[i]!),
  normal,
  truncatedNormal: (words, i) => truncated(words[i]!),
}

/** The op behind the functions below. It has no inputs. */
export const randomOp = defineOp<Record<string, never>, Attributes, tf.Tensor>({
  name: 'backends/Random',
  reference: (_, { kind, shape, key, scale, offset }) => {
    const size = tf.util.sizeFromShape(shape)
    const words = philoxWords(size, key)
    const value = (_: unknown, i: number) => offset + scale * samples[kind](words, i)
    return tf.tensor(Float32Array.from({ length: size }, value), shape)
  },
  kernels: {
    wasm: ({ heap, attrs: { kind, shape, key, scale, offset } }) => {
      const y = heap.output(shape)
      heap.parallelFor(kernels, 'random', {
        ...{ length: tf.util.sizeFromShape(shape), cost: costs[kind], multiple: 16, scratch: 64 },
        parameters: (start, count, words) => [
          ...([codes[kind], y.pointer + start * 4, start, count, ...key, scale, offset, words] as const),
        ],
      })
      return y
    },
  },
})

interface DropoutAttributes {
  rate: number
  key: Key
}

/** The op behind {@link dropout}. Its gradient is itself: the same mask on the gradient. */
export const dropoutOp: Op<{ x: tf.Tensor }, DropoutAttributes, tf.Tensor> = defineOp<
  { x: tf.Tensor },
  DropoutAttributes,
  tf.Tensor
>({
  name: 'backends/Dropout',
  reference: ({ x }, { rate, key }) => {
    const words = philoxWords(x.size, key)
    const keep = Math.fround(1 - rate)
    const mask = Float32Array.from({ length: x.size }, (_, i) => (unit(words[i]!) < keep ? 1 / keep : 0))
    return tf.mul(x, tf.tensor(mask, x.shape))
  },
  gradient: ({ dy, attrs }) => ({ x: dropoutOp({ x: dy }, attrs) }),
  kernels: {
    wasm: ({ heap, inputs: { x }, attrs: { rate, key } }) => {
      const y = heap.output(x.shape)
      const px = x.size ? heap.pointer(x) : 0
      heap.parallelFor(kernels, 'dropout', {
        ...{ length: x.size, cost: 1.2, multiple: 16, scratch: 64 },
        parameters: (start, count, words) => [
          ...([px + start * 4, y.pointer + start * 4, start, count, ...key, 1 - rate, words] as const),
        ],
      })
      return y
    },
  },
})

function finite(name: string, values: Record<string, number>): void {
  for (const [option, value] of Object.entries(values))
    if (!Number.isFinite(value))
      throw new Error(`${name}: \`${option}\` must be finite. Received ${option}=${value}.`)
}

export interface SeedOptions {
  /** An integer: the same numbers each time, to rounding on every backend; not those that tfjs makes of a seed. @default chance */
  seed?: number
}

/**
 * Uniform numbers from `min` (included) to `max` (excluded, but for rounding), in 2^24 steps.
 *
 * @param shape Of the result, float32.
 * @throws when a bound is not finite, or the seed no integer.
 *
 * @example
 * ```ts
 * import { randomUniform, useBackend } from '@tfgraft/backends'
 *
 * await useBackend('wasm')
 * randomUniform([2, 3], { min: -1, max: 1, seed: 7 }).print()
 * ```
 */
export function randomUniform(
  shape: readonly number[],
  { min = 0, max = 1, seed }: SeedOptions & { min?: number; max?: number } = {},
): tf.Tensor {
  finite('randomUniform', { min, max })
  const key = keyOf('randomUniform', seed)
  return randomOp({}, { kind: 'uniform', shape: [...shape], key, scale: max - min, offset: min })
}

/** Of {@link randomNormal} and {@link truncatedNormal}. */
export interface NormalOptions extends SeedOptions {
  /** @default 0 */
  mean?: number
  /** @default 1 */
  standardDeviation?: number
}

function normalNumbers(
  kind: 'normal' | 'truncatedNormal',
  name: string,
  shape: readonly number[],
  { mean = 0, standardDeviation = 1, seed }: NormalOptions,
): tf.Tensor {
  finite(name, { mean, standardDeviation })
  const key = keyOf(name, seed)
  return randomOp({}, { kind, shape: [...shape], key, scale: standardDeviation, offset: mean })
}

/**
 * Normal numbers, none further than 5.8 standard deviations from the mean, where one of 10^8 would be.
 *
 * @param shape Of the result, float32.
 * @throws when an option is not finite, or the seed no integer.
 *
 * @example
 * ```ts
 * import { randomNormal, useBackend } from '@tfgraft/backends'
 *
 * await useBackend('wasm')
 * randomNormal([2, 3], { standardDeviation: 0.1, seed: 7 }).print()
 * ```
 */
export function randomNormal(shape: readonly number[], options: NormalOptions = {}): tf.Tensor {
  return normalNumbers('normal', 'randomNormal', shape, options)
}

/**
 * Normal numbers within two standard deviations of the mean, by the inverse of their distribution function.
 *
 * @param shape Of the result, float32.
 * @throws when an option is not finite, or the seed no integer.
 *
 * @example
 * ```ts
 * import { truncatedNormal, useBackend } from '@tfgraft/backends'
 *
 * await useBackend('wasm')
 * truncatedNormal([2, 3], { standardDeviation: 0.02, seed: 7 }).print() // within 0.04 of 0
 * ```
 */
export function truncatedNormal(shape: readonly number[], options: NormalOptions = {}): tf.Tensor {
  return normalNumbers('truncatedNormal', 'truncatedNormal', shape, options)
}

/**
 * Sets elements to 0 with probability `rate`, and divides the others by 1 - rate (Srivastava et al., "Dropout: A Simple Way to Prevent
 * Neural Networks from Overfitting", 2014, scaled while training). Forward and gradient are a pass each, and no mask is kept.
 *
 * @param x float32, any shape.
 * @param rate From 0 to below 1.
 * @throws when the rate lies outside, or the seed is no integer.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { dropout, useBackend } from '@tfgraft/backends'
 *
 * await useBackend('wasm')
 * dropout(tf.ones([8]), 0.5, { seed: 7 }).print() // about half of them 0, the others 2
 * ```
 */
export function dropout<T extends tf.Tensor>(x: T, rate: number, { seed }: SeedOptions = {}): T {
  if (!(rate >= 0 && rate < 1))
    throw new Error(`dropout: \`rate\` must lie in [0, 1). Received rate=${rate}.`)
  return dropoutOp({ x }, { rate, key: keyOf('dropout', seed) }) as T
}
