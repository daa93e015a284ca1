/** Shapes and values on which every kernel of this folder is held against tfjs's cpu backend. */
import * as tf from '@tensorflow/tfjs-core'

export interface KernelCase {
  title: string
  run: () => tf.Tensor
  rtol?: number
  atol?: number
}

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number

/** Reproducible normal numbers. */
const normal = (shape: number[], seed = 1, scale = 1) => tf.randomNormal(shape, 0, scale, 'float32', seed)

const sums: KernelCase[] = (
  [
    [[7], [0]],
    [[5, 17], [1]],
    [[5, 17], [0]],
    [
      [5, 16],
      [0, 1],
    ],
    [[3, 4, 5], [1]],
    [
      [3, 4, 5],
      [0, 2],
    ],
    [
      [2, 3, 4, 5],
      [0, 2],
    ],
    [
      [2, 3, 4, 5],
      [1, 3],
    ],
    [
      [2, 3, 4, 21],
      [0, 1, 2],
    ],
    [[3, 1, 4], [1]],
    [[1, 1], [0]],
    [[200, 3], [0]],
    [[1], [0]],
    [[], []],
    [[0, 3], [0]],
    [[3, 0], [0]],
    [[9000], [0]],
  ] as [number[], number[]][]
).flatMap(([shape, axes]) =>
  Object.entries({ sum: tf.sum<tf.Tensor>, mean: tf.mean<tf.Tensor> })
    // tfjs-cpu gives 0 for the mean of nothing, where it is NaN.
    .filter(([name]) => name === 'sum' || !shape.includes(0))
    .flatMap(([name, reduce]) =>
      [false, true].map((keepDims) => ({
        title: `${name} of [${shape}] over [${axes}]${keepDims ? ', axes kept' : ''}`,
        run: () => reduce(normal(shape), axes, keepDims),
      })),
    ),
)

const maxPoolGradients: KernelCase[] = (
  [
    [[2, 6, 6, 3], 2, 2, 'valid'],
    [[1, 7, 5, 4], 3, 2, 'same'],
    [[2, 5, 5, 9], [2, 3], [1, 2], 'same'],
    [[1, 4, 4, 1], 2, 1, 'valid'],
    [[1, 8, 8, 6], 3, 2, 1],
    [[1, 1, 1, 1], 1, 1, 'valid'],
  ] as [[number, number, number, number], number, number, 'valid' | 'same' | number][]
).map(([shape, size, strides, pad]) => ({
  title: `maxPool gradient of [${shape}], size ${size}, strides ${strides}, pad ${pad}, all values negative`,
  run: () =>
    tf.grad((x: tf.Tensor) => {
      const pooled = tf.maxPool(x as tf.Tensor4D, size, strides, pad, pad === 1 ? 'floor' : undefined)
      return tf.sum(tf.mul(pooled, normal(pooled.shape, 2)))
    })(tf.sub(normal(shape), 10)),
}))

const tiles: KernelCase[] = (
  [
    [[5], [3]],
    [
      [1, 16],
      [9, 1],
    ],
    [
      [1, 1, 1, 6],
      [2, 3, 4, 1],
    ],
    [
      [3, 1],
      [1, 7],
    ],
    [
      [2, 3],
      [2, 2],
    ],
    [
      [2, 1, 3],
      [2, 5, 2],
    ],
    [[1], [1]],
    [
      [2, 3],
      [1, 1],
    ],
    [
      [2, 3],
      [0, 1],
    ],
  ] as [number[], number[]][]
).map(([shape, reps]) => ({
  title: `tile [${shape}] by [${reps}]`,
  run: () => tf.tile(normal(shape), reps),
}))

export const kernelCases: KernelCase[] = [
  ...sums,
  {
    title: 'sum with NaN and infinity',
    run: () =>
      tf.sum(
        tf.tensor2d([
          [1, nan],
          [infinity, 1],
        ]),
        1,
      ),
  },
  { title: 'sum of integers', run: () => tf.sum(tf.tensor1d([1, 2, 3], 'int32')) },
  ...maxPoolGradients,
  ...tiles,
  { title: 'tile of integers', run: () => tf.tile(tf.tensor2d([1, -2, 3], [3, 1], 'int32'), [1, 2]) },
  { title: 'tile of booleans', run: () => tf.tile(tf.tensor1d([true, false], 'bool'), [3]) },
  { title: 'a copy', run: () => normal([3]).clone() },
]
