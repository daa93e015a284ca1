/**
 * Set-up of every test file (vitest.config.ts): `Math.random` from a seed. tfjs seeds by it whatever was given no seed
 * (random ops, dropout, initial weights), so a test draws the same numbers each time, and a tolerance that holds once holds.
 * `TFGRAFT_TEST_SEED=7 pnpm test` runs the suite on other numbers. The generator is Mulberry32 (Ettinger 2017).
 */
let state = Number(process.env.TFGRAFT_TEST_SEED ?? 0) | 0

Math.random = () => {
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), state | 1)
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}

export {}
