/**
 * numpy's `SeedSequence` (O'Neill 2015, "Developing a seed_seq alternative"): spreads a seed over 256 bits by
 * 32-bit hashing, so that neighbouring seeds give unrelated streams.
 */
const POOL = 4
const imul = Math.imul

/** `SeedSequence(seed).generate_state(8)`: eight 32-bit words, which numpy reads as four little-endian 64-bit ones. */
export function seedSequence(seed: number, out: Uint32Array = new Uint32Array(8)): Uint32Array {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new Error(`seedSequence: \`seed\` must be a non-negative integer. Received seed=${seed}.`)
  const entropy = seed > 0xffffffff ? [seed >>> 0, Math.floor(seed / 2 ** 32)] : [seed]

  let constant = 0x43b0d7e5
  const hash = (value: number): number => {
    let x = value ^ constant
    constant = imul(constant, 0x931e8875)
    x = imul(x, constant)
    return x ^ (x >>> 16)
  }
  const mix = (x: number, y: number): number => {
    const result = (imul(0xca01f9dd, x) - imul(0x4973f715, y)) | 0
    return result ^ (result >>> 16)
  }
  const pool = Array.from({ length: POOL }, (_, i) => hash(entropy[i] ?? 0))
  for (let from = 0; from < POOL; from++)
    for (let to = 0; to < POOL; to++) if (from !== to) pool[to] = mix(pool[to]!, hash(pool[from]!))

  let spread = 0x8b51f9dd
  for (let i = 0; i < 8; i++) {
    let x = pool[i % POOL]! ^ spread
    spread = imul(spread, 0x58f38ded)
    x = imul(x, spread)
    out[i] = x ^ (x >>> 16)
  }
  return out
}
