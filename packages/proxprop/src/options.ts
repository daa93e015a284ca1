/** What every proximal layer, op and method of this package takes, its defaults and its rules. */

/**
 * How the proximal problem is solved.
 * - `'exact'`: Cholesky, of whichever of the primal or dual system is smaller.
 * - `{ cg: n }`: at most n conjugate gradient steps from the current weights; stops early once the squared residual
 *   is below `tolerance` (default 1e-4) times its start, as the reference implementation does.
 * - `'gradient'`: no problem at all, the plain gradient; `tau` is not used.
 */
export type Solver = 'exact' | 'gradient' | { cg: number; tolerance?: number }

/**
 * A step size learned per layer: after each step, `tau` is multiplied by `trustRatio |weights| / |proximal step|`
 * (at least 1/2, at most 2), so that a step settles at `trustRatio` times the length of the weights.
 */
export interface TrustRatio {
  /** Wanted length of a step relative to the weights, e.g. 0.01. */
  trustRatio: number
  /** `tau` of the first step. @default 0.05 */
  initial?: number
}

export interface ProximalOptions {
  /**
   * Step size of the proximal problem, above 0. The problem sums over the batch (and over positions of a
   * convolution), so `tau` has the unit 1 / activation^2: a layer leaves the regime of small steps, where it does
   * `tau` times a gradient step, when `tau` times the sum of its squared input activations passes 1.
   * @default 0.05
   */
  tau?: number | TrustRatio
  /** @default 'exact' for dense layers, `{ cg: 3 }` for others */
  solver?: Solver
  /**
   * Whether the bias is an unknown of the proximal problem, as in the reference, or gets its plain gradient while
   * the kernel solves the problem with the bias as it is.
   * @default 'proximal'
   */
  bias?: 'proximal' | 'gradient'
  /**
   * Multiplies the layer's step, whatever the solver: its learning rate relative to the optimizer's. A loss that is a
   * mean over the batch hands a proximal layer gradients that are smaller by the batch size than what the problem's
   * sum over the batch suggests, and no optimizer of tfjs has a learning rate per layer. Optimizers that normalise
   * gradients, such as Adam, undo it.
   * @default 1
   */
  rate?: number
}

export const defaultTau = 0.05
export const defaultTolerance = 1e-4

/** Bounds that a learned `tau` stays within. */
export const learnedTauRange = [1e-6, 1e6] as const

const positive = (value: unknown) => typeof value === 'number' && value > 0 && Number.isFinite(value)
const shown = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value))

/** Throws unless `tau` is a finite number above 0. */
export function checkTau(owner: string, tau: unknown): void {
  if (!positive(tau))
    throw new Error(`${owner}: \`tau\` must be a finite number above 0. Received tau=${shown(tau)}.`)
}

/** Throws unless `solver` is one of the {@link Solver}s. */
export function checkSolver(owner: string, solver: unknown): void {
  if (solver === 'exact' || solver === 'gradient') return
  if (typeof solver === 'object' && solver !== null && 'cg' in solver) {
    const { cg, tolerance = defaultTolerance } = solver as { cg: unknown; tolerance?: unknown }
    if (!Number.isInteger(cg) || (cg as number) < 1)
      throw new Error(`${owner}: \`cg\` must be an integer of at least 1. Received cg=${shown(cg)}.`)
    if (!(typeof tolerance === 'number' && tolerance >= 0))
      throw new Error(
        `${owner}: \`tolerance\` must be a number of at least 0. Received tolerance=${shown(tolerance)}.`,
      )
    return
  }
  throw new Error(
    `${owner}: \`solver\` must be 'exact', 'gradient' or { cg: steps }. Received solver=${shown(solver)}.`,
  )
}

/** Throws unless the options keep their rules. */
export function checkOptions(owner: string, { tau, solver, bias, rate }: Required<ProximalOptions>): void {
  if (typeof tau === 'object' && tau !== null) {
    if (!positive(tau.trustRatio))
      throw new Error(
        `${owner}: \`trustRatio\` must be a finite number above 0. Received trustRatio=${shown(tau.trustRatio)}.`,
      )
    checkTau(owner, tau.initial ?? defaultTau)
  } else checkTau(owner, tau)
  checkSolver(owner, solver)
  if (bias !== 'proximal' && bias !== 'gradient')
    throw new Error(`${owner}: \`bias\` must be 'proximal' or 'gradient'. Received bias=${shown(bias)}.`)
  if (!positive(rate))
    throw new Error(`${owner}: \`rate\` must be a finite number above 0. Received rate=${shown(rate)}.`)
}
