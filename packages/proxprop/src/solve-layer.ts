/** From all uses of a layer in one backward pass to the updates X0 - X+ of its weights. */
import * as tf from '@tensorflow/tfjs-core'
import { keepTape } from '@tfgraft/backends'
import { flatConjugateGradient, fromMap } from './conjugate-gradient/flat'
import type { LinearLayer } from './linear-layer'
import { addGrams, fromGram, solveNormalEquations } from './normal-equations'
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
  const { rows, blockCg, gram } = layer
  const onRows = blockCg || (problem.solver === 'exact' && !(gram && isPrimalSmaller(problem)))
  return tf.tidy(() =>
    rows && onRows ? solveOnRows((x) => rows(x, config), problem) : solveFlat(layer, config, problem),
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

/** A layer's map over all uses, and its adjoint, on one tensor per weight. A bias that is no unknown is left out. */
export interface LayerOperator {
  map: (weights: tf.Tensor[]) => tf.Tensor[]
  adjoint: (outputs: tf.Tensor[]) => tf.Tensor[]
  /** Sets the parts that are no unknowns of the proximal problem to zero. */
  unknowns: (parts: tf.Tensor[]) => tf.Tensor[]
}

export function layerOperator<Config extends object>(
  layer: LinearLayer<Config>,
  config: Config,
  { uses, weights, biasIndex, bias }: LayerProblem,
): LayerOperator {
  const adjointOfUse = layer.adjoint ?? differentiate(layer.map)
  const fixed = bias === 'gradient' ? biasIndex : -1
  return {
    map: (parts) => uses.map(({ x }) => layer.map(x, parts, config)),
    adjoint: (outputs) => {
      const perUse = uses.map(({ x }, i) => adjointOfUse(x, outputs[i]!, weights, config))
      return weights.map((_, w) =>
        perUse.length === 1 ? perUse[0]![w]! : tf.addN(perUse.map((use) => use[w]!)),
      )
    },
    unknowns: (parts) => parts.map((part, i) => (i === fixed ? tf.zerosLike(part) : part)),
  }
}

/** One system over all weights: by the map and its adjoint, or by a Gram matrix where that is cheaper. */
function solveFlat<Config extends object>(
  layer: LinearLayer<Config>,
  config: Config,
  problem: LayerProblem,
): LayerStep {
  const { map, adjoint, unknowns } = layerOperator(layer, config, problem)
  const { uses, biasIndex, tau, solver, bias } = problem
  const gradient = adjoint(uses.map(({ dz }) => dz))
  if (solver === 'gradient') return { updates: gradient, iterations: tf.scalar(0) }
  const withBias = biasIndex >= 0 && bias === 'proximal'
  const gram = () =>
    addGrams(
      uses.map(({ x, dz }) => {
        const [gram, sums] = layer.gram!.sums(x, config)
        return { gram, sums, count: rowCount(dz) }
      }),
    )
  if (solver === 'exact')
    return { updates: solveNormalEquations(gram(), gradient, tau, withBias), iterations: tf.scalar(0) }
  const { cg: steps, tolerance = defaultTolerance } = solver
  const normal = isGramCheaper(layer, config, problem, steps)
    ? fromGram(gram(), withBias)
    : fromMap(map, adjoint)
  const { solution, iterations } = flatConjugateGradient({
    normal: (p, wanted) => {
      const { energy, product } = normal(p, wanted)
      return { energy, product: unknowns(product) }
    },
    rhs: unknowns(gradient),
    tau,
    steps,
    tolerance,
  })
  const plain = bias === 'gradient' ? biasIndex : -1
  return { updates: solution.map((part, i) => (i === plain ? gradient[i]! : part)), iterations }
}

/** All dimensions but the last are rows. */
const rowCount = ({ size, shape }: tf.Tensor) => size / shape.at(-1)!

/** The Gram matrix once and a product with it per step, or 2 steps - 1 products with A or A'. */
function isGramCheaper<Config extends object>(
  { gram }: LinearLayer<Config>,
  config: Config,
  { uses, weights }: LayerProblem,
  steps: number,
): boolean {
  if (!gram) return false
  const m = weights[0]!.shape.at(-1)!
  const d = weights[0]!.size / m
  const rows = uses.reduce((sum, { dz }) => sum + rowCount(dz), 0)
  const cost = uses.reduce((sum, { x, dz }) => sum + rowCount(dz) * gram.cost(x, config), 0)
  return cost + steps * d * d * m <= (2 * steps - 1) * rows * d * m
}

/** Whether the exact step shall be solved for the d (+ 1) unknowns of an output, given their Gram matrix. */
function isPrimalSmaller({ uses, weights }: LayerProblem): boolean {
  const d = weights[0]!.size / weights[0]!.shape.at(-1)!
  return d < uses.reduce((sum, { dz }) => sum + rowCount(dz), 0)
}

/** The adjoint of a map that has none of its own. The map is linear, so where it is differentiated does not matter. */
const differentiate =
  <Config extends object>(map: LinearLayer<Config>['map']): NonNullable<LinearLayer<Config>['adjoint']> =>
  (x, dz, weights, config) =>
    keepTape(() => tf.grads((...given: tf.Tensor[]) => map(x, given, config))(weights, dz))
