/** Learning rates as functions of the optimizer step. A schedule is plain: compose, scale or plot it like any function. */

/** Maps the optimizer step, from 0, to a learning rate. */
export type Schedule = (step: number) => number

function checkPositive(name: string, values: Record<string, number>): void {
  for (const [key, value] of Object.entries(values))
    if (!(value > 0 && Number.isFinite(value)))
      throw new Error(`${name}: \`${key}\` must be positive and finite. Received ${key}=${value}.`)
}

function checkRate(name: string, key: string, value: number): void {
  if (!(value >= 0 && Number.isFinite(value)))
    throw new Error(`${name}: \`${key}\` must be finite and not negative. Received ${key}=${value}.`)
}

export interface CosineDecayOptions {
  /** Rate at step 0. */
  initial: number
  /** Steps until `final` is reached; it stays from then on. */
  steps: number
  /** @default 0 */
  final?: number
}

/**
 * Half a cosine from `initial` to `final`: final + (initial - final) (1 + cos(pi step / steps)) / 2.
 * Loshchilov and Hutter 2017 (arXiv 1608.03983), equation 5, without restarts.
 *
 * @example
 * ```ts
 * import { cosineDecay } from '@tfgraft/core'
 *
 * const rate = cosineDecay({ initial: 1e-3, steps: 1000 })
 * console.log(rate(0), rate(500), rate(1000)) // 0.001, 0.0005, 0
 * ```
 */
export function cosineDecay({ initial, steps, final = 0 }: CosineDecayOptions): Schedule {
  checkPositive('cosineDecay', { steps })
  checkRate('cosineDecay', 'initial', initial)
  checkRate('cosineDecay', 'final', final)
  return (step) =>
    final + (initial - final) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, Math.max(0, step / steps))))
}

export interface LinearWarmupOptions {
  /** Steps of the warm-up. */
  steps: number
  /** The rate, or the schedule, that follows. A schedule starts at its step 0 when the warm-up ends. */
  after: number | Schedule
  /** Rate at step 0. @default 0 */
  from?: number
}

/**
 * A straight line from `from` to the rate that follows, then that rate or schedule.
 *
 * @example
 * ```ts
 * import { adamW, cosineDecay, linearWarmup } from '@tfgraft/core'
 *
 * const decay = cosineDecay({ initial: 1e-3, steps: 900 })
 * const optimizer = adamW({ learningRate: linearWarmup({ steps: 100, after: decay }) })
 * console.log(optimizer.rate) // 0 before the first step
 * ```
 */
export function linearWarmup({ steps, after, from = 0 }: LinearWarmupOptions): Schedule {
  checkPositive('linearWarmup', { steps })
  checkRate('linearWarmup', 'from', from)
  if (typeof after !== 'function') checkRate('linearWarmup', 'after', after)
  const rest = typeof after === 'function' ? after : () => after
  return (step) => (step < steps ? from + (rest(0) - from) * (Math.max(0, step) / steps) : rest(step - steps))
}

export interface StepDecayOptions {
  /** Rate at step 0. */
  initial: number
  /** Factor of each decay, above 0. */
  factor: number
  /** Steps between two decays. */
  every: number
}

/**
 * `initial` times `factor` for each `every` steps that have passed.
 *
 * @example
 * ```ts
 * import { stepDecay } from '@tfgraft/core'
 *
 * const stepsPerEpoch = 500
 * const rate = stepDecay({ initial: 2e-4, factor: 0.97, every: stepsPerEpoch })
 * console.log(rate(499), rate(500)) // 0.0002, 0.000194
 * ```
 */
export function stepDecay({ initial, factor, every }: StepDecayOptions): Schedule {
  checkPositive('stepDecay', { factor, every })
  checkRate('stepDecay', 'initial', initial)
  return (step) => initial * factor ** Math.floor(step / every)
}
