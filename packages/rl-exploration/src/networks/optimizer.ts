/** Adam over a list of variables with clipping by global norm, in PyTorch's conventions, and a state that can be saved. */
import * as tf from '@tensorflow/tfjs-core'
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
 * Adam (Kingma & Ba 2015) as PyTorch computes it. Gradients are scaled by `min(1, max / (norm + 1e-6))` first.
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
      const given = variables.map((v) => grads[v.name]!)
      let scale: tf.Tensor | undefined
      if (Number.isFinite(maxGradNorm)) {
        const norm = tf.sqrt(tf.addN(given.map((g) => tf.sum(tf.square(g)))))
        scale = tf.minimum(1, tf.div(maxGradNorm, tf.add(norm, 1e-6)))
      }
      const correction1 = 1 - BETA1 ** step
      const correction2 = Math.sqrt(1 - BETA2 ** step)
      variables.forEach((v, i) => {
        const g = scale ? tf.mul(given[i]!, scale) : given[i]!
        const m = tf.add(tf.mul(first[i]!, BETA1), tf.mul(g, 1 - BETA1))
        const s = tf.add(tf.mul(second[i]!, BETA2), tf.mul(tf.square(g), 1 - BETA2))
        const denominator = tf.add(tf.mul(tf.sqrt(s), 1 / correction2), epsilon)
        first[i]!.assign(m)
        second[i]!.assign(s)
        v.assign(tf.sub(v, tf.mul(tf.div(m, denominator), rate / correction1)))
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
