/**
 * Philox4x32-10 in JavaScript, for the backends without a kernel, and the truth for the kernel: Salmon et al., "Parallel Random
 * Numbers: As Easy as 1, 2, 3", 2011, section 4. `assembly/random.ts` has it four counters at a time.
 */

const [M0, M1] = [0xd2511f53, 0xcd9e8d57]
const [WEYL0, WEYL1] = [0x9e3779b9, 0xbb67ae85]

/** Upper 32 bits of the product of two unsigned integers of 32 bits. */
function multiplyHigh(a: number, b: number): number {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff]
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const other = aLow * bHigh + (middle % 0x10000)
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(other / 0x10000)) >>> 0
}

export type Words = [number, number, number, number]
export type Key = readonly [number, number]

/** Four random words from a key and a counter, all unsigned and of 32 bits. */
export function philox([c0, c1, c2, c3]: Words, [key0, key1]: Key): Words {
  let [x0, x1, x2, x3, k0, k1] = [c0, c1, c2, c3, key0, key1]
  for (let round = 0; round < 10; round++) {
    const [high0, high1] = [multiplyHigh(M0, x0), multiplyHigh(M1, x2)]
    const [low0, low1] = [Math.imul(M0, x0) >>> 0, Math.imul(M1, x2) >>> 0]
    ;[x0, x1, x2, x3] = [(high1 ^ x1 ^ k0) >>> 0, low1, (high0 ^ x3 ^ k1) >>> 0, low0]
    ;[k0, k1] = [(k0 + WEYL0) >>> 0, (k1 + WEYL1) >>> 0]
  }
  return [x0, x1, x2, x3]
}

/**
 * The words of elements 0 to `length` - 1, in blocks of 16: four counters, whose first words come first, then their second, and so on,
 * as SIMD makes them.
 */
export function philoxWords(length: number, key: Key): Uint32Array {
  const words = new Uint32Array(Math.ceil(length / 16) * 16)
  for (let block = 0; block < words.length; block += 16)
    for (let lane = 0; lane < 4; lane++)
      philox([block / 4 + lane, 0, 0, 0], key).forEach((word, i) => {
        words[block + 4 * i + lane] = word
      })
  return words
}

/** The key of a seed: an integer, of which 53 bits count; without one, a key of chance. */
export function keyOf(name: string, seed?: number): Key {
  if (seed === undefined) return [(Math.random() * 2 ** 32) >>> 0, (Math.random() * 2 ** 32) >>> 0]
  if (!Number.isSafeInteger(seed))
    throw new Error(`${name}: \`seed\` must be an integer. Received seed=${seed}.`)
  return [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0]
}
