/** A fast stream of random numbers whose state can be saved: sfc32 (Chris Doty-Humphrey, PractRand). */
export class SavableRandom {
  private readonly state: Uint32Array

  constructor(seed: number) {
    this.state = Uint32Array.of(seed, Math.floor(seed / 2 ** 32), 0x9e3779b9, 1)
    for (let i = 0; i < 15; i++) this.bits()
  }

  private bits(): number {
    const s = this.state
    const result = (s[0]! + s[1]! + s[3]!) | 0
    s[3] = s[3]! + 1
    s[0] = s[1]! ^ (s[1]! >>> 9)
    s[1] = s[2]! + (s[2]! << 3)
    s[2] = ((s[2]! << 21) | (s[2]! >>> 11)) + result
    return result >>> 0
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.bits() * 2 ** -32
  }

  /** Standard normal, by Box and Muller. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform())
  }

  /** Uniform integer in [0, high). */
  integer(high: number): number {
    return Math.floor(this.uniform() * high)
  }

  shuffle(values: Int32Array): Int32Array {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.integer(i + 1)
      const kept = values[i]!
      values[i] = values[j]!
      values[j] = kept
    }
    return values
  }

  /** An independent stream. */
  fork(): SavableRandom {
    return new SavableRandom(this.bits() * 2 ** 20 + (this.bits() >>> 12))
  }

  save(): number[] {
    return [...this.state]
  }

  load(state: readonly number[]): void {
    this.state.set(state)
  }
}
