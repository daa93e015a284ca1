/**
 * What agents and bonuses compute with: variables and a function. The default is a stack of dense layers on fused
 * matrix products, which costs one op a layer; any tfjs LayersModel can take its place.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { SavableRandom } from './random'

/** A differentiable function with weights. */
export interface Network {
  readonly variables: readonly tf.Variable[]
  /** Maps `[batch, features]` to `[batch, outputs]`. Call it inside `tf.tidy`. */
  apply(x: tf.Tensor): tf.Tensor2D
  dispose(): void
}

/** Shape of a {@link mlp}. */
export interface MlpOptions {
  /** Widths from input to output: `[147, 64, 7]` has one hidden layer. */
  sizes: readonly number[]
  /** Between layers, not after the last. @default 'relu' */
  activation?: 'relu' | 'elu'
  /** Gain of the last layer's orthogonal weights. @default 1 */
  outputGain?: number
  /** Gains of column ranges of the last layer, where they differ: `[[columns, gain], ...]`. */
  outputGains?: readonly (readonly [columns: number, gain: number])[]
  random: SavableRandom
}

/** Rows or columns (the fewer) orthonormal, times `gain`: Saxe et al. 2014, by Gram-Schmidt in double precision. */
export function orthogonal(rows: number, columns: number, gain: number, random: SavableRandom): Float32Array {
  const [count, length] = rows < columns ? [rows, columns] : [columns, rows]
  const vectors: Float64Array[] = []
  for (let k = 0; k < count; k++) {
    const v = Float64Array.from({ length }, () => random.normal())
    for (const u of vectors) {
      let dot = 0
      for (let i = 0; i < length; i++) dot += u[i]! * v[i]!
      for (let i = 0; i < length; i++) v[i]! -= dot * u[i]!
    }
    const norm = Math.hypot(...v)
    vectors.push(v.map((x) => x / norm))
  }
  const out = new Float32Array(rows * columns)
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++)
      out[r * columns + c] = gain * (rows < columns ? vectors[r]![c]! : vectors[c]![r]!)
  return out
}

/** Dense layers with orthogonal weights (gain sqrt 2 inside) and zero biases. */
export function mlp({
  sizes,
  activation = 'relu',
  outputGain = 1,
  outputGains,
  random,
}: MlpOptions): Network {
  const variables: tf.Variable[] = []
  for (let layer = 0; layer + 1 < sizes.length; layer++) {
    const [inputs, outputs] = [sizes[layer]!, sizes[layer + 1]!]
    const last = layer + 2 === sizes.length
    const weights = orthogonal(inputs, outputs, last ? outputGain : Math.SQRT2, random)
    if (last && outputGains) {
      let column = 0
      for (const [columns, gain] of outputGains) {
        for (let c = column; c < column + columns; c++)
          for (let r = 0; r < inputs; r++) weights[r * outputs + c]! *= gain / outputGain
        column += columns
      }
    }
    variables.push(
      variable(tf.tensor2d(weights, [inputs, outputs])),
      variable(tf.zeros([outputs]) as tf.Tensor1D),
    )
  }
  return {
    variables,
    apply(x) {
      let h = x as tf.Tensor2D
      for (let k = 0; k < variables.length; k += 2)
        h = tf.fused.matMul({
          a: h,
          b: variables[k] as tf.Tensor as tf.Tensor2D,
          bias: variables[k + 1]!,
          activation: k + 2 < variables.length ? activation : 'linear',
        }) as tf.Tensor2D
      return h
    },
    dispose: () => tf.dispose(variables as tf.Tensor[]),
  }
}

function variable(initial: tf.Tensor): tf.Variable {
  const made = tf.variable(initial)
  initial.dispose()
  return made
}

/** A LayersModel as a {@link Network}: several outputs are joined side by side. */
export function fromLayersModel(model: LayersModel): Network {
  const inputShape = model.inputs[0]!.shape.slice(1) as number[]
  return {
    variables: model.trainableWeights.map((weight) => weight.read() as tf.Variable),
    apply(x) {
      const given = model.apply(tf.reshape(x, [x.shape[0]!, ...inputShape]), { training: true })
      const outputs = (Array.isArray(given) ? given : [given]) as tf.Tensor2D[]
      return outputs.length === 1 ? outputs[0]! : tf.concat2d(outputs, 1)
    },
    dispose: () => void model.dispose(),
  }
}

/** Weights as plain arrays, and back. */
export function saveVariables(variables: readonly tf.Variable[]): Promise<Float32Array[]> {
  return Promise.all(variables.map(async (v) => (await v.data<'float32'>()).slice()))
}

export function loadVariables(variables: readonly tf.Variable[], saved: readonly ArrayLike<number>[]): void {
  if (saved.length !== variables.length)
    throw new Error(`loadVariables: needs ${variables.length} arrays. Received ${saved.length}.`)
  variables.forEach((v, i) => {
    const value = tf.tensor(Float32Array.from(saved[i]!), v.shape)
    v.assign(value)
    value.dispose()
  })
}

/** Runs `body` in a tidy scope and brings its result to the host. */
export async function hostResult(body: () => tf.Tensor): Promise<Float32Array> {
  const result = tf.tidy(body)
  const values = (await result.data<'float32'>()).slice()
  result.dispose()
  return values
}
