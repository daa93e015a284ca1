/** Adam over a list of variables with clipping by global norm, in PyTorch's conventions, and a state that can be saved. */
import * as tf from '@tensorflow/tfjs-core'
import {
  adamStep as adamStepInOnePass,
  clipByGlobalNorm as clipByGlobalNormInOneCall,
} from '@tfgraft/backends'
import { saveVariables } from './network'

/** Options of {@link clippedAdam}. */
export interface ClippedAdamOptions {
  learningRate: number
  /** Largest global norm of all gradients together. @default no clipping */
  maxGradNorm?: number
  /** @default 1e-5, as PPO implementations have it */
  epsilon?: number
}

/** A step counter, and first and second moments per variable. */
export interface ClippedAdamState {
  step: number
  moments: Float32Array[]
}

export interface ClippedAdam {
  /** Sets the rate of the following steps. */
  learningRate: number
  /** One step along the gradient of `loss`, which is returned and to be disposed. */
  minimize(loss: () => tf.Scalar): tf.Scalar
  save(): Promise<ClippedAdamState>
  load(state: ClippedAdamState): void
  dispose(): void
}

const [BETA1, BETA2] = [0.9, 0.999]

/**
 * Gradients scaled by `min(1, maxNorm / (norm + 1e-6))`, where `norm` is that of all of them together: PyTorch's
 * `clip_grad_norm_`.
 *
 * @param gradients Tensors of any shapes.
 * @param maxNorm Above 0. Infinity returns the gradients as they are.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { useBackend } from '@tfgraft/backends'
 * import { clipByGlobalNorm } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * const [a, b] = clipByGlobalNorm([tf.tensor1d([3]), tf.tensor1d([4])], 1)
 * console.log(a.dataSync()[0], b.dataSync()[0]) // 0.6, 0.8
 * ```
 */
export function clipByGlobalNorm(gradients: readonly tf.Tensor[], maxNorm: number): tf.Tensor[] {
  if (!(maxNorm > 0))
    throw new Error(`clipByGlobalNorm: \`maxNorm\` must be above 0. Received maxNorm=${maxNorm}.`)
  if (!Number.isFinite(maxNorm)) return [...gradients]
  return clipByGlobalNormInOneCall(gradients, maxNorm)
}

/**
 * One step of Adam (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1) for one parameter as PyTorch computes it: epsilon
 * is added to the corrected root. Betas are 0.9 and 0.999.
 *
 * @param at The parameter, its gradient, its first and second moment: all of one shape.
 * @param options `step` counts from 1; `epsilon` is 1e-5 by default.
 * @returns The new parameter and moments.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { useBackend } from '@tfgraft/backends'
 * import { adamStep } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * const zero = tf.scalar(0)
 * const { value } = adamStep(
 *   { value: tf.scalar(1), gradient: tf.scalar(7), first: zero, second: zero },
 *   { step: 1, learningRate: 0.1 },
 * )
 * value.print() // 0.9: the first step has the size of the learning rate
 * ```
 */
export function adamStep(
  {
    value,
    gradient,
    first,
    second,
  }: { value: tf.Tensor; gradient: tf.Tensor; first: tf.Tensor; second: tf.Tensor },
  { step, learningRate, epsilon = 1e-5 }: { step: number; learningRate: number; epsilon?: number },
): { value: tf.Tensor; first: tf.Tensor; second: tf.Tensor } {
  const options = {
    ...{ learningRate, epsilon, beta1: BETA1, beta2: BETA2 },
    ...{ correction1: 1 - BETA1 ** step, correction2: 1 - BETA2 ** step },
  }
  const inputs = { value, gradient, firstMoment: first, secondMoment: second }
  const [newValue, newFirst, newSecond] = tf.tidy(() => adamStepInOnePass(inputs, options))
  return { value: newValue, first: newFirst, second: newSecond }
}

/**
 * A stateful {@link adamStep} over variables, after {@link clipByGlobalNorm} of all their gradients.
 *
 * @param variables What is trained.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import '@tensorflow/tfjs-layers' // registers gradients
 * import { useBackend } from '@tfgraft/backends'
 * import { clippedAdam } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * const x = tf.variable(tf.tensor1d([3, 4]))
 * const adam = clippedAdam([x], { learningRate: 0.1, maxGradNorm: 1 })
 * adam.minimize(() => tf.sum(tf.square(x))).dispose()
 * x.print() // 2.9, 3.9
 * adam.dispose()
 * ```
 */
export function clippedAdam(
  variables: readonly tf.Variable[],
  { learningRate, maxGradNorm = Number.POSITIVE_INFINITY, epsilon = 1e-5 }: ClippedAdamOptions,
): ClippedAdam {
  if (!(learningRate > 0))
    throw new Error(`clippedAdam: \`learningRate\` must be above 0. Received learningRate=${learningRate}.`)
  if (!(maxGradNorm > 0))
    throw new Error(`clippedAdam: \`maxGradNorm\` must be above 0. Received maxGradNorm=${maxGradNorm}.`)
  const zeros = () => variables.map((v) => tf.tidy(() => tf.variable(tf.zeros(v.shape), false)))
  const [first, second] = [zeros(), zeros()]
  let step = 0
  const apply = (grads: tf.NamedTensorMap, rate: number) =>
    tf.tidy(() => {
      const given = clipByGlobalNorm(
        variables.map((v) => grads[v.name]!),
        maxGradNorm,
      )
      variables.forEach((v, i) => {
        const next = adamStep(
          { value: v, gradient: given[i]!, first: first[i]!, second: second[i]! },
          { step, learningRate: rate, epsilon },
        )
        first[i]!.assign(next.first)
        second[i]!.assign(next.second)
        v.assign(next.value)
      })
    })
  return {
    learningRate,
    minimize(loss) {
      const { value, grads } = tf.variableGrads(loss, [...variables])
      step++
      apply(grads, this.learningRate)
      tf.dispose(grads)
      return value
    },
    save: async () => ({ step, moments: await saveVariables([...first, ...second]) }),
    load(state) {
      step = state.step
      const all = [...first, ...second]
      all.forEach((v, i) => {
        tf.tidy(() => v.assign(tf.tensor(Float32Array.from(state.moments[i]!), v.shape)))
      })
    },
    dispose: () => tf.dispose([...first, ...second] as tf.Tensor[]),
  }
}
