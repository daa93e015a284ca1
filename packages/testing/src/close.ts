/** Closeness of numbers: relative plus absolute tolerance, where NaN equals nothing and shapes must agree. */
import * as tf from '@tensorflow/tfjs-core'

export interface Tolerance {
  /** Relative tolerance. @default 1e-4 */
  rtol?: number
  /** Absolute tolerance. @default 1e-5 */
  atol?: number
}

/** A tensor, or the `{shape, data}` of a golden vector, or a plain array of numbers. */
export type Values =
  | tf.Tensor
  | { shape: readonly number[]; data: readonly (number | string)[] }
  | ArrayLike<number>

const numbers = (values: Values): { shape?: readonly number[]; data: ArrayLike<number> } => {
  if (values instanceof tf.Tensor) return { shape: values.shape, data: values.dataSync() }
  if ('data' in values) return { shape: values.shape, data: values.data.map(Number) }
  return { data: values }
}

/** Throws unless `|actual - expected| <= atol + rtol |expected|` everywhere. Reports the worst element. */
export function expectClose(
  actual: Values,
  expected: Values,
  { rtol = 1e-4, atol = 1e-5 }: Tolerance = {},
): void {
  const a = numbers(actual)
  const e = numbers(expected)
  if (a.shape && e.shape && `${a.shape}` !== `${e.shape}`)
    throw new Error(`expectClose: shapes differ. Received [${a.shape}], expected [${e.shape}].`)
  if (a.data.length !== e.data.length)
    throw new Error(`expectClose: lengths differ. Received ${a.data.length}, expected ${e.data.length}.`)
  let worst = -1
  let worstExcess = 0
  let wrong = 0
  for (let i = 0; i < e.data.length; i++) {
    const [x, y] = [a.data[i]!, e.data[i]!]
    if (x === y) continue
    const excess = Math.abs(x - y) / (atol + rtol * Math.abs(y))
    if (excess <= 1) continue
    wrong++
    if (worst < 0 || !(excess <= worstExcess)) [worst, worstExcess] = [i, excess]
  }
  if (wrong)
    throw new Error(
      `expectClose: ${wrong} of ${e.data.length} elements are off (rtol ${rtol}, atol ${atol}). ` +
        `Worst at ${worst}: received ${a.data[worst]}, expected ${e.data[worst]}.`,
    )
}
