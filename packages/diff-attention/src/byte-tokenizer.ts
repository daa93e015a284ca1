/** Text as its UTF-8 bytes: a vocabulary of 256 that has no unknown tokens. */

export interface Tokenizer {
  /** Number of tokens. */
  readonly vocabularySize: number
  encode(text: string): number[]
  decode(tokens: Iterable<number>): string
}

/**
 * A tokenizer whose tokens are the bytes of UTF-8.
 *
 * @example
 * ```ts
 * import { byteTokenizer } from '@tfgraft/diff-attention'
 * console.log(byteTokenizer.decode(byteTokenizer.encode('Ahab, né'))) // Ahab, né
 * ```
 */
export const byteTokenizer: Tokenizer = {
  vocabularySize: 256,
  encode: (text) => Array.from(new TextEncoder().encode(text)),
  decode: (tokens) => new TextDecoder().decode(Uint8Array.from(tokens)),
}
