/** The cases that every recurrent op is tested on: sizes beside multiples of 4, no bias, NaN that must not reach the steps before it. */
import * as tf from '@tensorflow/tfjs-core'
import type { OpCase } from '@tfgraft/testing'

const sizes = [
  [3, 5, 4, 8],
  [2, 3, 5, 7],
  [1, 1, 1, 1],
  [20, 2, 3, 2],
  [1, 6, 17, 13],
] as const

/** `name` begins the titles; `inputs` makes the inputs of those sizes. */
export function recurrentCases<I extends { x: tf.Tensor; bias?: tf.Tensor }, A>(
  name: string,
  attrs: A,
  inputs: (batch: number, time: number, features: number, units: number) => I,
): OpCase<I, A>[] {
  return [
    ...sizes.map(([batch, time, features, units]) => ({
      title: `${name}, batch ${batch}, length ${time}, ${features} features, ${units} units`,
      inputs: () => inputs(batch, time, features, units),
      attrs,
    })),
    {
      title: `${name}, without bias`,
      inputs: () => {
        const { bias, ...rest } = inputs(2, 3, 4, 5)
        bias!.dispose()
        return rest as I
      },
      attrs,
    },
    {
      title: `${name}, NaN in the second step`,
      inputs: () => {
        const { x, ...rest } = inputs(2, 3, 1, 4)
        x.dispose()
        return { ...rest, x: tf.tensor3d([1, Number.NaN, 2, 3, 4, 5], [2, 3, 1]) } as unknown as I
      },
      attrs,
      gradient: false,
    },
  ]
}
