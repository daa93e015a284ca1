import { readFileSync } from 'node:fs'
import { Tokenizer } from '@huggingface/tokenizers'
import { describe, expect, it } from 'vitest'
import { bpeTokenizer, byteTokenizer } from './index'

interface Golden {
  tokenizer: object
  cases: { text: string; ids: number[]; withSpecial: number[] }[]
}
const golden: Golden = JSON.parse(readFileSync(new URL('../fixtures/bpe_512.json', import.meta.url), 'utf8'))

describe('tokenizers', () => {
  it('bytes go to text and back', () => {
    expect(byteTokenizer.encode('né')).toEqual([110, 195, 169])
    expect(byteTokenizer.decode(byteTokenizer.encode('Ahab — né 🐋'))).toBe('Ahab — né 🐋')
  })

  it.each(golden.cases)(
    'BPE gives the tokens of the Rust library, and the text back: $text',
    ({ text, ids, withSpecial }) => {
      const library = new Tokenizer(golden.tokenizer, {})
      const plain = bpeTokenizer(library)
      expect(plain.encode(text)).toEqual(ids)
      expect(plain.decode(ids)).toBe(text)
      const special = bpeTokenizer(library, { specialTokens: true })
      expect(special.encode(text)).toEqual(withSpecial)
      expect(special.decode(withSpecial)).toBe(text)
    },
  )

  it('the vocabulary ends at the largest token', () => {
    expect(bpeTokenizer(new Tokenizer(golden.tokenizer, {})).vocabularySize).toBe(512)
  })
})
