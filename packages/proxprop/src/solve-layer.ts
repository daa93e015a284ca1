/** From all uses of a layer in one backward pass to the updates X0 - X+ of its weights. */
import * as tf from '@tensorflow/tfjs-core'
import { flatConjugateGradient } from './conjugate-gradient/flat'
import type { LinearLayer } from './linear-layer'
import { defaultTolerance, type Solver } from './options'
import { countedStep } from './proximal-step'
import type { LinearUse } from './record-use'

export interface LayerProblem {
  uses: LinearUse[]
  /** Current weights, in the stock layer's order. */
  weights: tf.Tensor[]
  /** Which of them is the bias; -1 when none is. */
  biasIndex: number
  tau: tf.Scalar
  solver: Solver
  bias: 'proximal' | 'gradient'
}

export type LayerStep = {
  /** X0 - X+, one tensor per weight. */
  updates: tf.Tensor[]
  /** CG steps taken, a scalar: 0 for other solvers. */
  iterations: tf.Scalar
}

export function solveLayer<Config extends object>(
  layer: LinearLayer<Config>,
  config: Config,
  problem: LayerProblem,
): LayerStep {
  const { rows, blockCg } = layer
  return tf.tidy(() =>
    rows && (blockCg || problem.solver === 'exact')
      ? solveOnRows((x) => rows(x, config), problem)
      : solveByMap(layer, config, problem),
  )
}

/** The rows of all uses, one below the other, make one dense problem. */
function solveOnRows(rows: (x: tf.Tensor) => tf.Tensor2D, problem: LayerProblem): LayerStep {
  const { uses, weights, biasIndex, tau, solver, bias } = problem
  const kernel = weights[0]!
  const outputs = kernel.shape.at(-1)!
  const stack = (parts: tf.Tensor2D[]) => (parts.length === 1 ? parts[0]! : tf.concat2d(parts, 0))
  const a = stack(uses.map(({ x }) => rows(x)))
  const g = stack(uses.map(({ dz }) => tf.reshape(dz, [-1, outputs]) as tf.Tensor2D))
  const step = countedStep(a, g, tau, solver, biasIndex < 0 ? 'none' : bias)
  const update = tf.reshape(step.kernel, kernel.shape)
  return { updates: step.bias ? [update, step.bias] : [update], iterations: step.iterations }
}

/** Nothing but the map and its adjoint. */
function solveByMap<Config extends object>(
  layer: LinearLayer<Config>,
  config: Config,
  problem: LayerProblem,
): LayerStep {
  const { uses, weights, biasIndex, tau, solver, bias } = problem
  const adjointOfUse = layer.adjoint ?? differentiate(layer.map)
  const adjoint = (outputs: tf.Tensor[]): tf.Tensor[] => {
    const perUse = uses.map(({ x }, i) => adjointOfUse(x, outputs[i]!, weights, config))
    return weights.map((_, w) =>
      perUse.length === 1 ? perUse[0]![w]! : tf.addN(perUse.map((use) => use[w]!)),
    )
  }
  const rhs = adjoint(uses.map(({ dz }) => dz))
  if (typeof solver === 'string') return { updates: rhs, iterations: tf.scalar(0) }
  const { cg: steps, tolerance = defaultTolerance } = solver
  // A bias with a plain gradient is no unknown: its part of every CG vector is zero.
  const fixed = bias === 'gradient' ? biasIndex : -1
  const unknown = (parts: tf.Tensor[]) => parts.map((part, i) => (i === fixed ? tf.zerosLike(part) : part))
  const { solution, iterations } = flatConjugateGradient({
    map: (parts) => uses.map(({ x }) => layer.map(x, parts, config)),
    adjoint: (outputs) => unknown(adjoint(outputs)),
    rhs: unknown(rhs),
    tau,
    steps,
    tolerance,
  })
  return { updates: solution.map((part, i) => (i === fixed ? rhs[i]! : part)), iterations }
}

/** The adjoint of a map that has none of its own. The map is linear, so where it is differentiated does not matter. */
const differentiate =
  <Config extends object>(map: LinearLayer<Config>['map']): NonNullable<LinearLayer<Config>['adjoint']> =>
  (x, dz, weights, config) => {
    // tfjs drops its tape at the end of a gradient, but this one runs in the middle of another that goes on.
    const { state } = tf.engine()
    const { activeTape } = state
    const gradients = tf.grads((...given: tf.Tensor[]) => map(x, given, config))(weights, dz)
    state.activeTape ??= activeTape
    return gradients
  }
