/** What one proximal step of a layer did, in numbers. */
import * as tf from '@tensorflow/tfjs-core'
import type { ObservedStep } from './observe'

export interface LayerReport {
  /** Name of the layer. */
  layer: string
  tau: number
  /** |X0 - X+|, the length of the proximal step, and of the plain gradient, over all weights of the layer. */
  stepNorm: number
  gradientNorm: number
  /** Length of the step relative to the weights. */
  relativeStep: number
  /** Between the proximal step and the plain gradient, in degrees: below 90, since the step descends. */
  angle: number
  /**
   * Condition number of A'A + I/tau when the batch leaves some direction of the weights untouched, else a bound from
   * above: 1 + tau times the largest eigenvalue of A'A, found by power iteration.
   */
  condition: number
  /** CG steps that the solver took; 0 for the exact solver. */
  iterations: number
}

/** Products by A'A in the power iteration. */
const powerSteps = 12

const dot = (a: tf.Tensor[], b: tf.Tensor[]) => tf.addN(a.map((part, i) => tf.sum(tf.mul(part, b[i]!))))
const norm = (parts: tf.Tensor[]) => tf.sqrt(dot(parts, parts))

/** Computes the numbers on the device: a tensor for {@link readReport}, kept. */
export function measureStep({ problem, step, gradient, operator }: ObservedStep): tf.Tensor1D {
  return tf.keep(
    tf.tidy(() => {
      let vector = operator.unknowns(gradient.updates)
      let largest: tf.Tensor = tf.scalar(0)
      for (let i = 0; i < powerSteps; i++) {
        const length = norm(vector)
        const product = operator.unknowns(
          operator.adjoint(operator.map(vector.map((part) => tf.divNoNan(part, length)))),
        )
        largest = norm(product)
        vector = product
      }
      const [updates, plain] = [step.updates, gradient.updates]
      const numbers = [norm(updates), norm(plain), dot(updates, plain), norm(problem.weights), largest]
      return tf.stack([...numbers, problem.tau, step.iterations]) as tf.Tensor1D
    }),
  )
}

/** Reads what {@link measureStep} computed, and disposes it. */
export async function readReport(layer: string, measured: tf.Tensor1D): Promise<LayerReport> {
  const [stepNorm, gradientNorm, product, weightNorm, largest, tau, iterations] = await measured.data()
  measured.dispose()
  const cosine = product! / (stepNorm! * gradientNorm!)
  return {
    layer,
    tau: tau!,
    stepNorm: stepNorm!,
    gradientNorm: gradientNorm!,
    relativeStep: stepNorm! / weightNorm!,
    angle: (Math.acos(Math.min(1, Math.max(-1, cosine))) * 180) / Math.PI,
    condition: 1 + tau! * largest!,
    iterations: iterations!,
  }
}
