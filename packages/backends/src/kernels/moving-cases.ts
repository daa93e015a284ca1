/** Kernels that move elements. */
import * as tf from '@tensorflow/tfjs-core'
import { type KernelCase, normal } from './kernel-case'

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

const transposes: KernelCase[] = (
  [
    [
      [5, 7],
      [1, 0],
    ],
    [
      [16, 33],
      [1, 0],
    ],
    [
      [3, 17, 5],
      [0, 2, 1],
    ],
    [
      [3, 4, 5],
      [1, 0, 2],
    ],
    [
      [2, 3, 4, 5],
      [0, 2, 1, 3],
    ],
    [
      [2, 3, 4, 5],
      [3, 0, 1, 2],
    ],
    [
      [2, 3, 4, 5],
      [0, 3, 1, 2],
    ],
    [
      [2, 3, 4],
      [2, 1, 0],
    ],
    [
      [2, 1, 4],
      [1, 0, 2],
    ],
    [
      [1, 6, 1],
      [2, 1, 0],
    ],
    [
      [2, 3, 4, 5],
      [3, 1, 0, 2],
    ],
    [
      [0, 3],
      [1, 0],
    ],
    [
      [130, 67],
      [1, 0],
    ],
    [
      [3, 5, 66, 9],
      [3, 2, 1, 0],
    ],
    [
      [2, 3, 4, 5],
      [2, 1, 0, 3],
    ],
    [
      [2, 3, 4, 5, 6],
      [4, 2, 0, 1, 3],
    ],
    [
      [2, 3, 4, 5, 6],
      [3, 1, 0, 2, 4],
    ],
  ] as [number[], number[]][]
).map(([shape, perm]) => ({
  title: `transpose [${shape}] to [${perm}]`,
  run: () => tf.transpose(normal(shape), perm),
}))

const gathers: KernelCase[] = (
  [
    [[5, 3], [2, 2], 0],
    [[2, 5, 3], [4], 1],
    [[2, 3, 6], [5], 2],
    [[4], [3], 0],
  ] as [number[], number[], number][]
).flatMap(([shape, indexShape, axis]) => {
  const indices = () =>
    tf.mod(
      tf.reshape(
        tf.range(
          0,
          indexShape.reduce((a, b) => a * b),
          1,
          'int32',
        ),
        indexShape,
      ),
      shape[axis]!,
    )
  return [
    {
      title: `rows [${indexShape}] of [${shape}] along axis ${axis}`,
      run: () => tf.gather(normal(shape), tf.cast(indices(), 'int32'), axis),
    },
    {
      title: `gradient of rows [${indexShape}] of [${shape}] along axis ${axis}`,
      run: () =>
        tf.grad((x: tf.Tensor) => tf.sum(tf.square(tf.gather(x, tf.cast(indices(), 'int32'), axis))))(
          normal(shape),
        ),
    },
  ]
})

const slices: KernelCase[] = (
  [
    [[7], [2], [3]],
    [
      [5, 3],
      [1, 0],
      [3, 3],
    ],
    [
      [5, 9],
      [0, 2],
      [5, 6],
    ],
    [
      [2, 5, 4],
      [0, 1, 0],
      [2, 3, 4],
    ],
    [
      [2, 5, 4],
      [1, 1, 1],
      [1, 3, 2],
    ],
    [
      [2, 3],
      [0, 0],
      [2, 3],
    ],
    [
      [4, 3],
      [2, 0],
      [0, 3],
    ],
  ] as [number[], number[], number[]][]
).map(([shape, begin, size]) => ({
  title: `slice [${size}] of [${shape}] from [${begin}]`,
  run: () => tf.slice(normal(shape), begin, size),
}))

const concatenations: KernelCase[] = (
  [
    [[[3], [2]], 0],
    [
      [
        [2, 3],
        [2, 5],
      ],
      1,
    ],
    [
      [
        [2, 3, 2],
        [2, 1, 2],
        [2, 4, 2],
      ],
      1,
    ],
    [
      [
        [1, 3],
        [2, 3],
      ],
      0,
    ],
    [
      [
        [2, 0],
        [2, 3],
      ],
      1,
    ],
  ] as [number[][], number][]
).map(([shapes, axis]) => ({
  title: `concat of ${shapes.map((shape) => `[${shape}]`).join(', ')} along axis ${axis}`,
  run: () =>
    tf.concat(
      shapes.map((shape, i) => normal(shape, i + 1)),
      axis,
    ),
}))

const splits: KernelCase[] = [0, 1, 2].map((part) => ({
  title: `part ${part} of a split`,
  run: () => tf.split(normal([2, 6, 3]), [1, 3, 2], 1)[part]!,
}))

export const movingCases: KernelCase[] = [
  ...slices,
  ...concatenations,
  ...splits,
  { title: 'slice of booleans', run: () => tf.slice(tf.tensor1d([1, 0, 1], 'bool'), [1], [2]) },
  { title: 'split of integers', run: () => tf.split(tf.tensor1d([1, 2, 3, 4], 'int32'), 2)[1]! },
  {
    title: 'concat of booleans',
    run: () => tf.concat([tf.tensor1d([1, 0], 'bool'), tf.tensor1d([1], 'bool')]),
  },
  ...transposes,
  {
    title: 'transpose of integers',
    run: () => tf.transpose(tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3], 'int32')),
  },
  {
    title: 'transpose of booleans',
    run: () => tf.transpose(tf.tensor2d([1, 0, 0, 1, 1, 1], [2, 3], 'bool')),
  },
  ...gathers,
  { title: 'rows of integers', run: () => tf.gather(tf.tensor2d([[1], [2]], [2, 1], 'int32'), [1, 0, 1]) },
  ...tiles,
  { title: 'tile of integers', run: () => tf.tile(tf.tensor2d([1, -2, 3], [3, 1], 'int32'), [1, 2]) },
  { title: 'tile of booleans', run: () => tf.tile(tf.tensor1d([true, false], 'bool'), [3]) },
  { title: 'a copy', run: () => normal([3]).clone() },
]
