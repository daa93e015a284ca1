/** Means with intervals over seeds, and paired differences. */
import { mean, sampleStandardDeviation } from 'simple-statistics'

/** A mean with its 95 % confidence interval (Student's t). With one value, the interval is unknown: NaN. */
export interface Estimate {
  mean: number
  low: number
  high: number
  count: number
}

/** Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom; above, 1.96 with a first correction. */
const quantiles = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
]
const studentT = (degrees: number) => quantiles[degrees - 1] ?? 1.96 + 2.4 / degrees

/** Mean and 95 % interval of `values`. */
export function estimate(values: readonly number[]): Estimate {
  if (values.length === 0) throw new Error('estimate: `values` must not be empty.')
  const center = mean([...values])
  if (values.length === 1) return { mean: center, low: Number.NaN, high: Number.NaN, count: 1 }
  const half = (studentT(values.length - 1) * sampleStandardDeviation([...values])) / Math.sqrt(values.length)
  return { mean: center, low: center - half, high: center + half, count: values.length }
}

/**
 * The difference `a - b` over the seeds that both have: pairing removes what the seeds have in common (initial
 * weights, order of batches). `undefined` when they share none.
 */
export function pairedDifference(
  a: ReadonlyMap<number, number>,
  b: ReadonlyMap<number, number>,
): Estimate | undefined {
  const differences = [...a].flatMap(([seed, value]) => (b.has(seed) ? [value - b.get(seed)!] : []))
  return differences.length ? estimate(differences) : undefined
}

/** Whether an estimate's interval excludes zero. Never with one value. */
export const excludesZero = ({ low, high }: Estimate): boolean => low > 0 || high < 0

/**
 * Two-sided p-value of a paired t test: how often a mean this far from zero would come by chance, if there were no difference. NaN
 * with one value. Student's distribution has closed forms for whole degrees of freedom: Abramowitz and Stegun 26.7.3 and 26.7.4.
 */
export function pValue({ mean, high, count }: Estimate): number {
  const degrees = count - 1
  if (degrees === 0) return Number.NaN
  const standardError = (high - mean) / studentT(degrees)
  if (standardError === 0) return mean === 0 ? 1 : 0
  const angle = Math.atan(Math.abs(mean) / standardError / Math.sqrt(degrees))
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)]
  const isOdd = degrees % 2 === 1
  let term = isOdd ? cosine : 1
  let sum = degrees === 1 ? 0 : term
  for (let k = isOdd ? 3 : 2; k <= degrees - 2; k += 2) {
    term *= ((k - 1) / k) * cosine ** 2
    sum += term
  }
  return Math.max(0, 1 - (isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum))
}
