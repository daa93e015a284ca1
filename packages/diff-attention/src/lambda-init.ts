/**
 * The constant part of lambda, by layer: 0.8 - 0.6 exp(-0.3 depth).
 * Ye et al. 2024, "Differential Transformer" (arXiv 2410.05258), section 2.1; there layers count from 1, here from 0.
 */

/**
 * The initial lambda of a differential attention layer.
 *
 * @param depth Index of the layer in its model, from 0. The deeper the layer, the more of the second map is subtracted.
 * @returns A number from 0.2 (first layer) towards 0.8.
 * @throws When `depth` is negative or not a number.
 * @example
 * ```ts
 * import { lambdaInit } from '@tfgraft/diff-attention'
 * console.log(lambdaInit(0).toFixed(2), lambdaInit(12).toFixed(2)) // 0.20 0.78
 * ```
 */
export function lambdaInit(depth: number): number {
  if (!(depth >= 0)) throw new Error(`lambdaInit: \`depth\` must be at least 0. Received depth=${depth}.`)
  return 0.8 - 0.6 * Math.exp(-0.3 * depth)
}
