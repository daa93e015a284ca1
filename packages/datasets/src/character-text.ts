/** Text as a sequence of characters, for language models over characters. */
import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '@tfgraft/core'

export interface WindowOptions {
  /** Characters that the model sees. A positive integer. */
  length: number
  /** Windows per batch. A positive integer. */
  batchSize: number
  /** Batches per epoch. Default: as many as cover the text once. */
  batches?: number
  /** Windows start at places drawn by this seed, anew each epoch. */
  seed: number
}

/** Minibatches of windows: `xs` int32 `[batch, length]`, `ys` the same shifted by one character. */
export interface WindowBatches {
  /** Batches per epoch. */
  readonly size: number
  iterator(): Promise<{ next(): Promise<IteratorResult<{ xs: tf.Tensor; ys: tf.Tensor }, null>> }>
  [Symbol.asyncIterator](): { next(): Promise<IteratorResult<{ xs: tf.Tensor; ys: tf.Tensor }, null>> }
}

/**
 * A text and its characters as numbers: the index of each character in `vocabulary`.
 *
 * @example
 * ```ts
 * import { CharacterText } from '@tfgraft/datasets'
 *
 * const text = new CharacterText('abracadabra')
 * console.log(text.vocabulary, text.decode(text.encode('cab'))) // ['a', 'b', 'c', 'd', 'r'], 'cab'
 * for await (const { xs, ys } of text.windows({ length: 4, batchSize: 2, seed: 1 })) {
 *   console.log(xs.shape, ys.shape) // [2, 4] [2, 4]
 *   xs.dispose()
 *   ys.dispose()
 * }
 * ```
 */
export class CharacterText {
  /** The distinct characters, in code point order. */
  readonly vocabulary: readonly string[]
  readonly #tokens: Int32Array
  readonly #index: ReadonlyMap<string, number>

  /** @param vocabulary Default: the characters of `text`. Give that of the training text to a held-out one. */
  constructor(text: string, vocabulary?: readonly string[]) {
    const characters = Array.from(text)
    this.vocabulary =
      vocabulary ?? [...new Set(characters)].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!)
    this.#index = new Map(this.vocabulary.map((character, index) => [character, index]))
    this.#tokens = this.encode(characters)
  }

  /** Number of characters. */
  get length(): number {
    return this.#tokens.length
  }

  /** The whole text as indices: do not change it. */
  get tokens(): Int32Array {
    return this.#tokens
  }

  /** Characters to indices. */
  encode(text: Iterable<string>): Int32Array {
    return Int32Array.from(text, (character) => {
      const index = this.#index.get(character)
      if (index === undefined)
        throw new Error(
          `CharacterText: every character must be in the vocabulary of ${this.vocabulary.length}. ` +
            `Received ${JSON.stringify(character)}.`,
        )
      return index
    })
  }

  /** Indices to characters. */
  decode(tokens: ArrayLike<number>): string {
    return Array.from(tokens, (token) => {
      const character = this.vocabulary[token]
      if (character === undefined)
        throw new Error(
          `CharacterText: tokens must be 0 to ${this.vocabulary.length - 1}. Received ${token}.`,
        )
      return character
    }).join('')
  }

  /** Everything before and everything after `fraction` (0 to 1) of the text, with the same vocabulary. */
  split(fraction: number): [CharacterText, CharacterText] {
    if (!(fraction > 0 && fraction < 1))
      throw new Error(`CharacterText: \`fraction\` must be between 0 and 1. Received fraction=${fraction}.`)
    const at = Math.round(fraction * this.length)
    const part = (tokens: Int32Array) => new CharacterText(this.decode(tokens), this.vocabulary)
    return [part(this.#tokens.subarray(0, at)), part(this.#tokens.subarray(at))]
  }

  /** Minibatches of windows of the text. The consumer disposes the tensors. */
  windows({ length, batchSize, seed, batches }: WindowOptions): WindowBatches {
    for (const [name, value] of Object.entries({ length, batchSize, batches: batches ?? 1 }))
      if (!Number.isInteger(value) || value < 1)
        throw new Error(`CharacterText: \`${name}\` must be a positive integer. Received ${name}=${value}.`)
    const starts = this.length - length
    if (starts < 1)
      throw new Error(
        `CharacterText: \`length\` must be below the text's ${this.length} characters. Received length=${length}.`,
      )
    const tokens = this.#tokens
    const size = batches ?? Math.max(1, Math.floor(this.length / (length * batchSize)))
    let epoch = 0
    const iterate = () => {
      const random = createRandom(seed).fork(`epoch ${epoch++}`)
      let batch = 0
      return {
        next: async () => {
          if (batch === size) return { value: null, done: true as const }
          batch++
          const xs = new Int32Array(batchSize * length)
          const ys = new Int32Array(batchSize * length)
          for (let row = 0; row < batchSize; row++) {
            const start = random.integer(0, starts)
            xs.set(tokens.subarray(start, start + length), row * length)
            ys.set(tokens.subarray(start + 1, start + 1 + length), row * length)
          }
          const shape: [number, number] = [batchSize, length]
          const value = { xs: tf.tensor2d(xs, shape, 'int32'), ys: tf.tensor2d(ys, shape, 'int32') }
          return { value, done: false as const }
        },
      }
    }
    return { size, iterator: async () => iterate(), [Symbol.asyncIterator]: iterate }
  }
}
