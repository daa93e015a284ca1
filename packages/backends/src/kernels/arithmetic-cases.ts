/** Kernels that compute. */
import * as tf from '@tensorflow/tfjs-core'
import { type KernelCase, normal } from './kernel-case'

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number

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
    [[2, 6, 4, 8], 2, 2, 'valid'],
    [[2, 5, 7, 4], 2, 2, 'valid'],
    [[2, 5, 7, 4], 2, 2, 'same'],
    [[2, 1, 3, 4], 2, 1, 'same'],
  ] as [[number, number, number, number], number, number, 'valid' | 'same' | number][]
).map(([shape, size, strides, pad]) => ({
  title: `maxPool gradient of [${shape}], size ${size}, strides ${strides}, pad ${pad}, all values negative`,
  run: () =>
    tf.grad((x: tf.Tensor) => {
      const pooled = tf.maxPool(x as tf.Tensor4D, size, strides, pad, pad === 1 ? 'floor' : undefined)
      return tf.sum(tf.mul(pooled, normal(pooled.shape, 2)))
    })(tf.sub(normal(shape), 10)),
}))

const special = () => tf.tensor1d([nan, infinity, -infinity, 0, -0, 1e-38, -1e38, 3.4e38, 0.5])
const wide = () => tf.linspace(-110, 110, 4001)

const unaries: KernelCase[] = Object.entries({
  exp: tf.exp<tf.Tensor>,
  tanh: tf.tanh<tf.Tensor>,
  sigmoid: tf.sigmoid<tf.Tensor>,
  erf: tf.erf<tf.Tensor>,
}).flatMap(([name, f]) => [
  // tfjs-cpu's error function is good to 1.5e-7; exp near its ends is subnormal.
  { title: `${name} on a wide range`, run: () => f(wide()), atol: 3e-7 },
  { title: `${name} near 0`, run: () => f(tf.linspace(-4, 4, 2003)), atol: 3e-7, rtol: 1e-6 },
  { title: `${name} of special values`, run: () => f(special()), atol: 3e-7 },
  { title: `${name} of one number`, run: () => f(tf.scalar(0.3)), atol: 3e-7 },
])

const clips: KernelCase[] = [1, 4, 9, 1003].flatMap((size) => [
  { title: `clip of ${size} values`, run: () => tf.clipByValue(normal([size]), -0.5, 0.25) },
  { title: `clip of ${size} NaN`, run: () => tf.clipByValue(tf.fill([size], nan), -0.5, 0.25) },
])

const binaries: KernelCase[] = Object.entries({
  add: tf.add<tf.Tensor>,
  sub: tf.sub<tf.Tensor>,
  mul: tf.mul<tf.Tensor>,
  div: tf.div<tf.Tensor>,
  maximum: tf.maximum<tf.Tensor>,
  minimum: tf.minimum<tf.Tensor>,
  squaredDifference: tf.squaredDifference<tf.Tensor>,
  equal: tf.equal<tf.Tensor>,
  notEqual: tf.notEqual<tf.Tensor>,
  greater: tf.greater<tf.Tensor>,
  greaterEqual: tf.greaterEqual<tf.Tensor>,
  less: tf.less<tf.Tensor>,
  lessEqual: tf.lessEqual<tf.Tensor>,
}).flatMap(([name, f]) => [
  ...(
    [
      [[7], [7]],
      [[37], [37]],
      [
        [3, 37],
        [3, 1],
      ],
      [[2, 9], []],
      [[], [6]],
      [[3, 5], [5]],
      [
        [3, 5],
        [3, 1],
      ],
      [
        [1, 4],
        [3, 1],
      ],
      [
        [2, 1, 5],
        [1, 4, 5],
      ],
      [
        [2, 3, 4, 5],
        [2, 1, 4, 1],
      ],
      [
        [2, 1, 2, 1, 3],
        [1, 3, 1, 2, 1],
      ],
      [
        [2, 1, 2, 1, 2, 1, 3],
        [1, 2, 1, 2, 1, 2, 1],
      ],
      [[0, 3], [3]],
      [[1, 1], [1]],
    ] as [number[], number[]][]
  ).map(([a, b]) => ({
    title: `${name} of [${a}] and [${b}]`,
    // Few distinct values, so that some are equal.
    run: () => f(tf.round(normal(a, 1, 2)), tf.add(tf.round(normal(b, 2, 2)), 0.0)),
  })),
  { title: `${name} of special values`, run: () => f(special(), tf.reverse(special())) },
  {
    title: `${name} of integers`,
    run: () => f(tf.tensor1d([1, 5, -3], 'int32'), tf.tensor1d([2, 5, 1], 'int32')),
  },
])

const selections: KernelCase[] = [
  {
    title: 'where, same shapes',
    run: () => tf.where(tf.greater(normal([3, 5]), 0), normal([3, 5], 2), normal([3, 5], 3)),
  },
  {
    title: 'where, by row',
    run: () => tf.where(tf.tensor1d([true, false, true], 'bool'), normal([3], 2), normal([3], 3)),
  },
  {
    title: 'where, broadcast',
    run: () => tf.where(tf.greater(normal([3, 1]), 0), tf.scalar(nan), normal([3, 5], 3)),
  },
]

const batchNorms: KernelCase[] = (
  [
    [[6, 5], [5]],
    [[2, 3, 4, 8], [8]],
    [[300, 3], [3]],
    [[4, 1], [1]],
    [
      [2, 3, 2, 3],
      [2, 3, 2, 3],
    ],
  ] as [number[], number[]][]
).flatMap(([shape, statistics]) => {
  const inputs = () => [
    normal(shape),
    normal(statistics, 2),
    tf.square(normal(statistics, 3)),
    normal(statistics, 4),
    normal(statistics, 5),
  ]
  const norm = ([x, mean, variance, offset, scale]: tf.Tensor[]) =>
    tf.batchNorm(
      x!,
      mean as tf.Tensor1D,
      variance as tf.Tensor1D,
      offset as tf.Tensor1D,
      scale as tf.Tensor1D,
      0.01,
    )
  const title = `batch norm of [${shape}] by [${statistics}]`
  return [
    { title, run: () => norm(inputs()) },
    { title: `${title}, without scale and offset`, run: () => norm(inputs().slice(0, 3)) },
    ...['x', 'mean', 'variance', 'offset', 'scale'].map((name, i) => ({
      title: `gradient by ${name} of ${title}`,
      rtol: 1e-4,
      atol: 1e-4,
      run: () =>
        tf.grads((...given: tf.Tensor[]) => tf.sum(tf.mul(norm(given), normal(shape, 6))))(inputs())[i]!,
    })),
  ]
})

export const arithmeticCases: KernelCase[] = [
  ...batchNorms,
  ...[1, 16, 37].map((size) => ({
    title: `and of ${size} booleans`,
    run: () => tf.logicalAnd(tf.greater(normal([size]), 0), tf.greater(normal([size], 2), 0)),
  })),
  {
    title: 'and, broadcast',
    run: () => tf.logicalAnd(tf.tensor1d([true, false], 'bool'), tf.tensor2d([[1], [0]], [2, 1], 'bool')),
  },
  ...unaries,
  ...clips,
  { title: 'clip of special values', run: () => tf.clipByValue(special(), -1, infinity) },
  { title: 'clip of nothing', run: () => tf.clipByValue(tf.zeros([0, 2]), -1, 1) },
  { title: 'clip of integers', run: () => tf.clipByValue(tf.tensor1d([1, 5, -3], 'int32'), -1, 2) },
  {
    title: 'clip of integers by fractions and infinity',
    run: () => tf.clipByValue(tf.tensor1d([0, 1, -1, 7], 'int32'), -0.5, infinity),
  },
  ...binaries,
  ...selections,
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
]
