/** The small ops against plain tf ops on the cpu. */
import * as tf from '@tensorflow/tfjs-core'
import { describeOp } from '@tfgraft/testing'
import { gatedSiLU } from './gated-silu'
import { rotaryOp } from './rotary'

const random = (shape: number[], seed: number, scale = 1) => tf.randomNormal(shape, 0, scale, 'float32', seed)

describeOp(
  gatedSiLU,
  [1, 3, 4, 9].map((n) => ({
    title: `${n} elements`,
    inputs: () => ({ g: random([n], 1), v: random([n], 2) }),
    attrs: undefined,
  })),
)
describeOp(gatedSiLU, [
  {
    title: 'gates far from 0, and NaN',
    inputs: () => ({ g: tf.tensor1d([-1e4, -90, 90, 1e4, Number.NaN]), v: tf.tensor1d([1, 2, 3, 4, 5]) }),
    attrs: undefined,
  },
])

const attrs = { base: 10000, offset: 0, direction: 1 } as const
describeOp(
  rotaryOp,
  (['interleaved', 'half-split'] as const).flatMap((style) =>
    [2, 6, 8, 10].map((width) => ({
      title: `${style}, width ${width}`,
      inputs: () => ({ x: random([2, 3, 2, width], width) }),
      attrs: { ...attrs, style, offset: width === 6 ? 5 : 0 },
    })),
  ),
)
