/**
 * The proximal step of a linear map z = A X, with A = [a, 1] and X = [W; b]:
 *
 *     X+ = argmin_X 1/2 |A X - (z - G)|^2 + 1/(2 tau) |X - X0|^2        G = dL/dz      (Frerix et al., eq. 12)
 *     X0 - X+ = (A'A + I/tau)^-1 A'G = A'(AA' + I/tau)^-1 G
 *
 * Sums run over the batch and are never averaged. The solvers find the update X0 - X+ itself: forming it as a
 * difference of weights, as the reference does, loses most of its digits in float32.
 */
import * as tf from '@tensorflow/tfjs-core'
import { blockConjugateGradient } from './conjugate-gradient/block'
import { blockCgOp } from './conjugate-gradient/op'
import { checkSolver, checkTau, defaultTau, defaultTolerance, type Solver } from './options'
import { solveSpd } from './solve-spd/op'

export interface ProximalStepOptions {
  /** Step size of the proximal problem, above 0; a scalar tensor stays where it is. @default 0.05 */
  tau?: number | tf.Scalar
  /** @default 'exact' */
  solver?: Solver
  /** Whether a bias is an unknown too, gets its plain gradient, or does not exist. @default 'proximal' */
  bias?: 'proximal' | 'gradient' | 'none'
}

export type ProximalStep = {
  /** W - W+, [d, m] */
  kernel: tf.Tensor2D
  /** b - b+, [m]; absent with `bias: 'none'` */
  bias?: tf.Tensor1D
}

/** The step, and how many CG steps it took: 0 for other solvers. */
export type CountedStep = ProximalStep & { iterations: tf.Scalar }

/**
 * X0 - X+ of a dense layer: what an optimizer with learning rate 1 subtracts from the weights.
 *
 * @param a Activations that enter the layer, [n, d].
 * @param g Gradient of the loss with regard to the layer's linear output, [n, m].
 * @throws Error when shapes do not agree, `tau` is not above 0 or `solver` is none.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { useBackend } from '@tfgraft/backends'
 * import { proximalStep } from '@tfgraft/proxprop'
 *
 * await useBackend('wasm')
 * const a = tf.randomNormal([8, 5]) as tf.Tensor2D
 * const g = tf.randomNormal([8, 3]) as tf.Tensor2D
 * const { kernel, bias } = proximalStep(a, g, { tau: 0.1 }) // [5, 3] and [3]
 * ```
 */
export function proximalStep(
  a: tf.Tensor2D,
  g: tf.Tensor2D,
  options: ProximalStepOptions = {},
): ProximalStep {
  const { tau = defaultTau, solver = 'exact', bias = 'proximal' } = options
  if (a.rank !== 2 || g.rank !== 2 || a.shape[0] !== g.shape[0])
    throw new Error(
      `proximalStep: \`a\` must be [n, d] and \`g\` [n, m]. Received a=[${a.shape}], g=[${g.shape}].`,
    )
  if (typeof tau === 'number') checkTau('proximalStep', tau)
  checkSolver('proximalStep', solver)
  if (bias !== 'proximal' && bias !== 'gradient' && bias !== 'none')
    throw new Error(`proximalStep: \`bias\` must be 'proximal', 'gradient' or 'none'. Received bias=${bias}.`)
  return tf.tidy(() => {
    const step = countedStep(a, g, typeof tau === 'number' ? tf.scalar(tau) : tau, solver, bias)
    return step.bias ? { kernel: step.kernel, bias: step.bias } : { kernel: step.kernel }
  })
}

/** `proximalStep` on checked arguments. */
export function countedStep(
  a: tf.Tensor2D,
  g: tf.Tensor2D,
  tau: tf.Scalar,
  solver: Solver,
  bias: 'proximal' | 'gradient' | 'none',
): CountedStep {
  return tf.tidy(() => {
    const withOnes = bias === 'proximal'
    if (solver === 'gradient') return fromMultipliers(a, g, bias !== 'none', tf.scalar(0))
    const form = solver === 'exact' ? exactForm(a, withOnes) : cgForm(a, g, withOnes, solver.cg)
    const step =
      form === 'dual' ? dualStep(a, g, tau, solver, withOnes) : primalStep(a, g, tau, solver, withOnes, form)
    return bias === 'gradient' ? { ...step, bias: tf.sum(g, 0) as tf.Tensor1D } : step
  })
}

/** The system of n rows or of d (+ 1) columns, whichever is smaller. */
const exactForm = (a: tf.Tensor2D, withOnes: boolean) =>
  a.shape[0] <= a.shape[1] + Number(withOnes) ? 'dual' : 'primal'

/** Fewest multiplications: the Gram matrix once, then one product by it per step; or A' A v without forming it. */
function cgForm(a: tf.Tensor2D, g: tf.Tensor2D, withOnes: boolean, steps: number) {
  const [n, columns] = a.shape
  const m = g.shape[1]
  const d = columns + Number(withOnes)
  const cost = { dual: n * n * (d + steps * m), primal: d * d * (n + steps * m), map: 2 * steps * n * d * m }
  if (cost.dual <= cost.primal && cost.dual <= cost.map) return 'dual'
  return cost.primal <= cost.map ? 'primal' : 'map'
}

/** X0 - X+ = A'U: the kernel's and the bias's part. */
function fromMultipliers(
  a: tf.Tensor2D,
  multipliers: tf.Tensor2D,
  withBias: boolean,
  iterations: tf.Scalar,
): CountedStep {
  const kernel = tf.matMul(a, multipliers, true) as tf.Tensor2D
  return withBias
    ? { kernel, bias: tf.sum(multipliers, 0) as tf.Tensor1D, iterations }
    : { kernel, iterations }
}

function dualStep(
  a: tf.Tensor2D,
  g: tf.Tensor2D,
  tau: tf.Scalar,
  solver: Exclude<Solver, 'gradient'>,
  withOnes: boolean,
): CountedStep {
  const inner = tf.matMul(a, a, false, true)
  const gram = (withOnes ? tf.add(inner, 1) : inner) as tf.Tensor2D // AA', [n, n]
  const { solution, iterations } = solve({ gram, rhs: g, tau, form: 'dual' }, solver)
  return fromMultipliers(a, solution, withOnes, iterations)
}

function primalStep(
  a: tf.Tensor2D,
  g: tf.Tensor2D,
  tau: tf.Scalar,
  solver: Exclude<Solver, 'gradient'>,
  withOnes: boolean,
  form: 'primal' | 'map',
): CountedStep {
  const [n, d] = a.shape
  const full = withOnes ? tf.concat2d([a, tf.ones([n, 1])], 1) : a // [a, 1]
  const rhs = tf.matMul(full, g, true) as tf.Tensor2D
  const gram = form === 'primal' ? (tf.matMul(full, full, true) as tf.Tensor2D) : undefined // A'A, [d, d]
  const multiply = (v: tf.Tensor2D) => tf.matMul(full, tf.matMul(full, v) as tf.Tensor2D, true)
  const { solution, iterations } = solve({ gram, multiply, rhs, tau, form: 'primal' }, solver)
  if (!withOnes) return { kernel: solution, iterations }
  const [kernel, bias] = tf.split(solution, [d, 1]) as [tf.Tensor2D, tf.Tensor2D]
  return { kernel, bias: tf.reshape(bias, [g.shape[1]]) as tf.Tensor1D, iterations }
}

/** (M + I/tau)^-1 rhs, for M given as a matrix or, to CG only, as a product. */
interface System {
  gram: tf.Tensor2D | undefined
  multiply?: (v: tf.Tensor2D) => tf.Tensor
  rhs: tf.Tensor2D
  tau: tf.Scalar
  form: 'primal' | 'dual'
}

function solve({ gram, multiply, rhs, tau, form }: System, solver: Exclude<Solver, 'gradient'>) {
  if (solver === 'exact')
    return { solution: solveSpd(gram!, rhs, { ridge: tf.reciprocal(tau) }), iterations: tf.scalar(0) }
  const { cg: steps, tolerance = defaultTolerance } = solver
  if (!gram) return blockConjugateGradient({ multiply: multiply!, rhs, tau, form, steps, tolerance })
  const [solution, iterations] = blockCgOp({ gram, rhs, tau }, { form, steps, tolerance })
  return { solution, iterations }
}
