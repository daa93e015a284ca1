/**
 * How far an op is from the truth on a backend. Forward: against tfjs-cpu, or a definition where tfjs-cpu is wrong. Gradient:
 * against fourth-order central differences of the op on tfjs-cpu, along random directions.
 */
import * as tf from '@tensorflow/tfjs-core'
import { deterministicValues, type OpCase } from './op-case'

/** A relative error, or the message of what was thrown. */
export type Measured = number | { throws: string }

export interface Measurement {
  forward: Measured
  /** Undefined for an op that has no gradient by nature. */
  gradient?: Measured
}

interface Values {
  shape: number[]
  data: ArrayLike<number>
}

const directions = 3
const step = 0.01

const listOf = (result: tf.Tensor | tf.Tensor[]): tf.Tensor[] => [result].flat()
const isFloat = (t: tf.Tensor) => t.dtype === 'float32'
const tensorsOf = (c: OpCase) =>
  c.inputs.map((input, i) => tf.tensor(deterministicValues(input, i), input.shape, input.dtype ?? 'float32'))
const variablesOf = (c: OpCase) => c.inputs.flatMap((input, i) => (input.constant || input.dtype ? [] : [i]))
/** Fixed random weights that reduce output `k` to a scalar. */
const weightsOf = (size: number, k: number) => deterministicValues({ shape: [size] }, 100 + k)
const directionOf = (size: number, input: number, d: number) =>
  deterministicValues({ shape: [size] }, 1000 + 10 * input + d)

const onCpu = <T extends tf.TensorContainer>(body: () => T): T => {
  const backend = tf.getBackend()
  tf.setBackend('cpu')
  try {
    return tf.tidy(body)
  } finally {
    tf.setBackend(backend)
  }
}

/** What an op should give, from tfjs-cpu with our registrations, in double precision from its float32 outputs. */
export interface Truth {
  outputs: Values[]
  /** Directional derivatives: one row of `directions` per differentiated input. */
  slopes: number[][]
}

export function truthOf(c: OpCase): Truth {
  const outputs = c.truth
    ? c.truth(...c.inputs.map((input, i) => deterministicValues(input, i)))
    : (onCpu(
        () => listOf(c.run(...tensorsOf(c))).map((t) => ({ shape: t.shape, data: t.dataSync() })) as never,
      ) as Values[])
  if (c.gradient === false) return { outputs, slopes: [] }
  const lossAt = (moved: number, values: Float32Array): number =>
    onCpu(() => {
      const inputs = tensorsOf(c)
      inputs[moved] = tf.tensor(values, c.inputs[moved]!.shape)
      return listOf(c.run(...inputs)).reduce((sum, output, k) => {
        if (!isFloat(output)) return sum
        const weights = weightsOf(output.size, k)
        return (output.dataSync() as Float32Array).reduce((s, v, i) => s + v * weights[i]!, sum)
      }, 0)
    })
  const slopes = variablesOf(c).map((i) => {
    const x = deterministicValues(c.inputs[i]!, i)
    return Array.from({ length: directions }, (_, d) => {
      const direction = directionOf(x.length, i, d)
      const at = (multiple: number) =>
        lossAt(
          i,
          x.map((v, j) => v + multiple * step * direction[j]!),
        )
      return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step)
    })
  })
  return { outputs, slopes }
}

/** Runs a case on the current backend and keeps what came out. Synchronous, so that it can run within `withStock`. */
export function compute(c: OpCase): { outputs: () => Promise<Values[]>; gradients: () => Promise<Values[]> } {
  const guarded = (body: () => tf.Tensor[]): (() => Promise<Values[]>) => {
    try {
      const tensors = tf.tidy(body)
      return async () => {
        const values = await Promise.all(tensors.map(async (t) => ({ shape: t.shape, data: await t.data() })))
        tf.dispose(tensors)
        return values
      }
    } catch (error) {
      return () => Promise.reject(error)
    }
  }
  const variables = variablesOf(c)
  return {
    outputs: guarded(() => listOf(c.run(...tensorsOf(c))).map((t) => tf.clone(t))),
    gradients: guarded(() => {
      if (c.gradient === false) return []
      const all = tensorsOf(c)
      const loss = (...xs: tf.Tensor[]) =>
        listOf(c.run(...all.map((t, i) => (variables.includes(i) ? xs[variables.indexOf(i)]! : t))))
          .flatMap((output, k) =>
            isFloat(output)
              ? [tf.sum(tf.mul(tf.reshape(output, [-1]), tf.tensor1d(weightsOf(output.size, k))))]
              : [],
          )
          .reduce((a, b) => tf.add(a, b))
      return tf.grads(loss)(variables.map((i) => all[i]!))
    }),
  }
}

/** Largest difference, relative to the largest expected magnitude (at least 1e-3); infinite where only one side is finite. */
function relativeError(actual: Values, expected: Values): number {
  if (`${actual.shape}` !== `${expected.shape}`)
    throw new Error(`shape [${actual.shape}] instead of [${expected.shape}]`)
  if (actual.data.length !== expected.data.length)
    throw new Error(`${actual.data.length} elements instead of ${expected.data.length}`)
  let [worst, scale] = [0, 1e-3]
  for (let i = 0; i < expected.data.length; i++) {
    const [a, e] = [Number(actual.data[i]), Number(expected.data[i])]
    if (Number.isFinite(e)) scale = Math.max(scale, Math.abs(e))
    if (a === e || (Number.isNaN(a) && Number.isNaN(e))) continue
    worst = Math.max(worst, Number.isFinite(a - e) ? Math.abs(a - e) : Number.POSITIVE_INFINITY)
  }
  return worst / scale
}

function gradientError(c: OpCase, gradients: Values[], slopes: number[][]): number {
  let worst = 0
  for (const [k, input] of variablesOf(c).entries()) {
    const gradient = Array.from(gradients[k]!.data)
    for (const [d, slope] of slopes[k]!.entries()) {
      const direction = directionOf(gradient.length, input, d)
      let [along, magnitude] = [0, 0]
      for (const [j, g] of gradient.entries()) {
        along += g * direction[j]!
        magnitude += Math.abs(g * direction[j]!)
      }
      const error = Math.abs(along - slope) / Math.max(magnitude, Math.abs(slope), 0.1)
      worst = Math.max(worst, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error)
    }
  }
  return worst
}

async function attempt(body: () => Promise<number>): Promise<Measured> {
  try {
    return await body()
  } catch (error) {
    return { throws: (error as Error).message.split('\n')[0]!.slice(0, 120) }
  }
}

/** Holds what `compute` gave against the truth. */
export async function measure(c: OpCase, truth: Truth, computed = compute(c)): Promise<Measurement> {
  const forward = await attempt(async () => {
    const outputs = await computed.outputs()
    if (outputs.length !== truth.outputs.length) throw new Error(`${outputs.length} outputs`)
    return Math.max(...outputs.map((values, i) => relativeError(values, truth.outputs[i]!)))
  })
  if (c.gradient === false) return { forward }
  return {
    forward,
    gradient: await attempt(async () => gradientError(c, await computed.gradients(), truth.slopes)),
  }
}

export const gradientTolerance = 1e-3

/** WGSL and GLSL allow sine and cosine an absolute error of 2^-11; the others are held to what float32 gives. */
const forwardTolerance = (backend: string) => (backend.startsWith('webg') ? 2 ** -11 : 1e-5)

/** The complaints about a measurement; empty when it is right. */
export function complaints(c: OpCase, { forward, gradient }: Measurement): string[] {
  const check = (what: string, measured: Measured | undefined, tolerance: number) =>
    measured === undefined || (typeof measured === 'number' && measured <= tolerance)
      ? []
      : [`${what}: ${typeof measured === 'number' ? `error ${measured.toPrecision(2)}` : measured.throws}`]
  return [
    ...check('forward', forward, c.forwardTolerance ?? forwardTolerance(tf.getBackend())),
    ...check('gradient', gradient, gradientTolerance),
  ]
}
