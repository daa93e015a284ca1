/**
 * Byte-pair tokens. Merging is the work of a library, `@huggingface/tokenizers`: plain JavaScript without dependencies, which reads
 * the `tokenizer.json` that comes with a checkpoint, of any vocabulary. It stays outside of this package's bundle: hand it in.
 */
import type { Tokenizer } from './byte-tokenizer'

/** What is used of the class `Tokenizer` of `@huggingface/tokenizers`. */
export interface TokenizerLibrary {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] }
  decode(
    ids: number[],
    options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean },
  ): string
  get_vocab(withAddedTokens: boolean): Map<string, number>
}

export interface BpeTokenizerOptions {
  /** Whether `encode` adds the tokens that the tokenizer puts around a text, such as `<s>`, and `decode` drops them. @default false */
  specialTokens?: boolean
}

/**
 * A byte-pair tokenizer for language models of this package.
 *
 * @param library A `Tokenizer` of `@huggingface/tokenizers`, made of the contents of a `tokenizer.json`.
 * @param options `specialTokens`.
 * @returns Text to token numbers and back. Without special tokens, byte-level tokenizers return every text unchanged.
 * @example
 * ```ts
 * import { Tokenizer } from '@huggingface/tokenizers'
 * import { bpeTokenizer } from '@tfgraft/diff-attention'
 *
 * // The contents of a tokenizer.json: here a vocabulary of four, with one merge.
 * const model = { type: 'BPE', vocab: { a: 0, b: 1, ab: 2, c: 3 }, merges: ['a b'] }
 * const others = { normalizer: null, pre_tokenizer: null, post_processor: null, added_tokens: [] }
 * const json = { model, decoder: { type: 'Fuse' }, ...others }
 * const tokenizer = bpeTokenizer(new Tokenizer(json, {}))
 * console.log(tokenizer.encode('cabba'), tokenizer.decode([3, 2])) // [3, 2, 1, 0] cab
 * ```
 */
export function bpeTokenizer(
  library: TokenizerLibrary,
  { specialTokens = false }: BpeTokenizerOptions = {},
): Tokenizer {
  let vocabularySize = 0
  for (const id of library.get_vocab(true).values()) vocabularySize = Math.max(vocabularySize, id + 1)
  return {
    vocabularySize,
    encode: (text) => library.encode(text, { add_special_tokens: specialTokens }).ids,
    decode: (tokens) => {
      const ids = Array.from(tokens)
      if (ids.length === 0) return '' // the library throws
      return library.decode(ids, {
        skip_special_tokens: specialTokens,
        clean_up_tokenization_spaces: false, // would move spaces in front of punctuation
      })
    },
  }
}
