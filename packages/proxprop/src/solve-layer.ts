/** From all uses of a layer in one backward pass to the updates X0 - X+ of its weights. */
import * as tf from '@tensorflow/tfjs-core'
import { flatConjugateGradient, fromMap, type NormalOperator } from './conjugate-gradient/flat'
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
  const rowsOf = rows && ((x: tf.Tensor) => rows(x, config))
  return tf.tidy(() =>
    rowsOf && (blockCg || problem.solver === 'exact')
      ? solveOnRows(rowsOf, problem)
      : solveFlat(layerOperator(layer, config, problem), rowsOf, problem),
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
function solveFlat(
  operator: LayerOperator,
  rows: ((x: tf.Tensor) => tf.Tensor2D) | undefined,
  problem: LayerProblem,
): LayerStep {
  const { map, adjoint, unknowns } = operator
  const { uses, biasIndex, tau, solver, bias } = problem
  const gradient = adjoint(uses.map(({ dz }) => dz))
  if (typeof solver === 'string') return { updates: gradient, iterations: tf.scalar(0) }
  const { cg: steps, tolerance = defaultTolerance } = solver
  const normal =
    rows && isGramCheaper(problem.weights[0]!, steps)
      ? fromGram(
          uses.map(({ x }) => rows(x)),
          biasIndex >= 0 && bias === 'proximal',
        )
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

/**
 * A kernel of d inputs and m outputs costs d m multiplications per row for each product with A or A', of which there
 * are 2 steps - 1; rows and their Gram matrix cost about 2 d^2 per row, once.
 */
function isGramCheaper({ shape, size }: tf.Tensor, steps: number): boolean {
  const m = shape.at(-1)!
  return 2 * (size / m) <= (2 * steps - 1) * m
}

/** The operator of [A, 1] or A, from A'A and A's column sums. Kernel and, where it is an unknown, bias. */
function fromGram(parts: tf.Tensor2D[], withOnes: boolean): NormalOperator {
  const sum = (tensors: tf.Tensor[]) => (tensors.length === 1 ? tensors[0]! : tf.addN(tensors))
  const gram = sum(parts.map((a) => tf.matMul(a, a, true))) as tf.Tensor2D // [d, d]
  const ones = sum(parts.map((a) => tf.sum(a, 0, true))) // A'1 as a row, [1, d]
  const count = parts.reduce((total, { shape }) => total + shape[0], 0)
  return ([kernel, bias]) => {
    const columns = tf.reshape(kernel!, [gram.shape[0], -1]) as tf.Tensor2D
    const inner = tf.matMul(gram, columns)
    if (!withOnes) {
      const product = tf.reshape(inner, kernel!.shape)
      return {
        energy: tf.sum(tf.mul(kernel!, product)),
        product: bias ? [product, tf.zerosLike(bias)] : [product],
      }
    }
    const row = tf.reshape(bias!, [1, -1]) as tf.Tensor2D
    const forKernel = tf.reshape(tf.add(inner, tf.matMul(ones as tf.Tensor2D, row, true)), kernel!.shape)
    const forBias = tf.reshape(
      tf.add(tf.matMul(ones as tf.Tensor2D, columns), tf.mul(row, count)),
      bias!.shape,
    )
    const energy = tf.add(tf.sum(tf.mul(kernel!, forKernel)), tf.sum(tf.mul(bias!, forBias)))
    return { energy, product: [forKernel, forBias] }
  }
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
