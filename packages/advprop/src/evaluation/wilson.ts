// 97.5 % quantile of the standard normal distribution.
const Z = 1.959964

/** Wilson's 95 % confidence interval of a proportion: stays within 0..1 and is right for small counts (Wilson 1927). */
export function wilsonInterval(successes: number, trials: number): [low: number, high: number] {
  if (trials === 0) return [0, 1]
  const p = successes / trials
  const denominator = 1 + Z ** 2 / trials
  const centre = (p + Z ** 2 / (2 * trials)) / denominator
  const half = (Z / denominator) * Math.sqrt((p * (1 - p)) / trials + Z ** 2 / (4 * trials ** 2))
  return [Math.max(0, centre - half), Math.min(1, centre + half)]
}
