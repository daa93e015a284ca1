/** What a fraction `k` of a plane means: which order statistic is the threshold. */

/** How many entries of a plane a fraction `k` stands for. */
export type Convention = 'quantile' | 'count' | 'countWithTies'

export interface SelectionAttributes {
  /** Part of the plane to keep, in [0, 1]. */
  k: number
  convention: Convention
  /** Factors of kept and of other entries. */
  kept: number
  dropped: number
}

/** The threshold in terms of order: `a + weight (b - a)`, a the `rank`-th largest, b the next larger. */
export function thresholdRank(
  size: number,
  k: number,
  convention: Convention,
): { rank: number; weight: number } {
  if (convention !== 'quantile') return { rank: Math.max(1, Math.floor(k * size)), weight: 0 }
  const position = (1 - k) * (size - 1) // in ascending order, from 0
  const lower = Math.floor(position)
  return { rank: size - lower, weight: position - lower }
}
