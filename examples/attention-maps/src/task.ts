/** Needles in noise: tokens that pair a key and a value hide in a context; then keys are asked for. */
import type { Random } from '@tfgraft/core'

const keys = 8
const values = 4
const noise = 16
export const needles = 4
/** Tokens before the questions. */
export const context = 32
/** Questions, one per key; needles, one per key and value; noise. */
export const vocabularySize = keys + keys * values + noise

export interface Haystack {
  /** `context` tokens, then one question per needle. */
  tokens: number[]
  /** The value that each question asks for. */
  answers: number[]
}

export function haystack(random: Random): Haystack {
  const some = (count: number) => random.shuffle(Array.from({ length: count }, (_, i) => i)).slice(0, needles)
  const [asked, places] = [some(keys), some(context)]
  const answers = asked.map(() => random.integer(0, values))
  const tokens = Array.from({ length: context }, () => keys + keys * values + random.integer(0, noise))
  for (const [i, place] of places.entries()) tokens[place] = keys + asked[i]! * values + answers[i]!
  return { tokens: [...tokens, ...asked], answers }
}

/** What a token is, to a human: `A?`, `A2`, or a dot. */
export function label(token: number): string {
  const letter = (key: number) => String.fromCharCode(65 + key)
  if (token < keys) return `${letter(token)}?`
  const pair = token - keys
  return pair < keys * values ? `${letter(Math.floor(pair / values))}${pair % values}` : '·'
}
