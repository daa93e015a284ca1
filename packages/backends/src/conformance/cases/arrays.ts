/** Shapes, moves, selections, reductions and scans. */
import * as tf from '@tensorflow/tfjs-core'
import type { Input, OpCase } from '../op-case'

const x34: Input = { shape: [3, 4] }
const x234: Input = { shape: [2, 3, 4] }
const distinct: Input = { shape: [3, 8], distinct: true }

const one = (name: string, run: (x: tf.Tensor) => tf.Tensor | tf.Tensor[], input: Input = x234): OpCase => ({
  name,
  run,
  inputs: [input],
})

const moves: OpCase[] = [
  one('reshape', (x) => tf.reshape(x, [4, 6])),
  one('expandDims', (x) => tf.expandDims(x, 1)),
  one('transpose', (x) => tf.transpose(x, [2, 0, 1])),
  one('transpose, rank 5', (x) => tf.transpose(x, [4, 1, 3, 0, 2]), { shape: [2, 3, 2, 2, 3] }),
  one('reverse', (x) => tf.reverse(x, [0, 2])),
  one('slice', (x) => tf.slice(x, [0, 1, 1], [2, 2, 2])),
  one('stridedSlice', (x) => tf.stridedSlice(x, [0, 2, 3], [2, -4, 0], [1, -1, -2], 0, 2)),
  one('stridedSlice, shrunk axis', (x) => tf.stridedSlice(x, [1, 0, 1], [2, 3, 4], [1, 1, 1], 0, 0, 0, 0, 1)),
  one('split', (x) => tf.split(x, [1, 3], 2)),
  one('unstack', (x) => tf.unstack(x, 1)),
  { name: 'unstack, one part', run: (x) => tf.unstack(x!, 1), inputs: [{ shape: [3, 1, 2] }] },
  {
    name: 'addN of 50',
    run: (...xs) => tf.addN(xs),
    inputs: Array.from({ length: 50 }, () => ({ shape: [3] })),
  },
  { name: 'stack', run: (a, b) => tf.stack([a, b], 1), inputs: [x34, x34] },
  { name: 'concat', run: (a, b) => tf.concat([a, b], 1), inputs: [x34, { shape: [3, 2] }] },
  one('tile', (x) => tf.tile(x, [2, 1, 3])),
  one('tile, rank 5', (x) => tf.tile(x, [2, 1, 3, 1, 2]), { shape: [2, 1, 2, 3, 1] }),
  one('broadcastTo', (x) => tf.broadcastTo(x, [2, 3, 4]), { shape: [3, 1] }),
  one('pad', (x) =>
    tf.pad(
      x,
      [
        [1, 2],
        [0, 1],
        [2, 0],
      ],
      0.5,
    ),
  ),
  one(
    'mirrorPad, reflect',
    (x) =>
      tf.mirrorPad(
        x,
        [
          [1, 2],
          [0, 3],
        ],
        'reflect',
      ),
    { shape: [3, 4] },
  ),
  one(
    'mirrorPad, symmetric',
    (x) =>
      tf.mirrorPad(
        x,
        [
          [2, 1],
          [1, 4],
        ],
        'symmetric',
      ),
    { shape: [3, 4] },
  ),
  one('depthToSpace', (x) => tf.depthToSpace(x as tf.Tensor4D, 2), { shape: [2, 2, 3, 8] }),
  one(
    'spaceToBatchND',
    (x) =>
      tf.spaceToBatchND(
        x,
        [2, 2],
        [
          [0, 0],
          [0, 1],
        ],
      ),
    { shape: [1, 4, 3, 2] },
  ),
  one(
    'batchToSpaceND',
    (x) =>
      tf.batchToSpaceND(
        x,
        [2, 2],
        [
          [0, 0],
          [0, 1],
        ],
      ),
    { shape: [4, 2, 2, 2] },
  ),
  {
    name: 'stridedSlice of integers',
    run: (x) => tf.stridedSlice(x, [0, 3], [3, 0], [2, -2]),
    inputs: [{ shape: [3, 4], from: 0, to: 100, dtype: 'int32' }],
    gradient: false,
  },
  one('diag', (x) => tf.diag(x), { shape: [4] }),
]

const indices = (values: number[], shape = [values.length]): Input => ({ shape, values, dtype: 'int32' })

const selections: OpCase[] = [
  {
    name: 'gather, axis 0',
    run: (x, i) => tf.gather(x, i as tf.Tensor1D),
    inputs: [x34, indices([2, 0, 2, 1])],
  },
  {
    name: 'gather, axis 1',
    run: (x, i) => tf.gather(x, i as tf.Tensor1D, 1),
    inputs: [x234, indices([2, 0, 2])],
  },
  {
    name: 'gather, negative axis',
    run: (x, i) => tf.gather(x, i as tf.Tensor1D, -1),
    inputs: [x234, indices([2, 0, 2])],
  },
  {
    name: 'gather, batch dimension',
    run: (x, i) => tf.gather(x, i, 1, 1),
    inputs: [x234, indices([2, 0, 1, 1], [2, 2])],
  },
  { name: 'gatherND', run: (x, i) => tf.gatherND(x, i), inputs: [x234, indices([0, 2, 1, 0, 0, 2], [3, 2])] },
  {
    name: 'scatterND',
    run: (u, i) => tf.scatterND(i, u, [4, 3]),
    inputs: [{ shape: [3, 3] }, indices([2, 0, 2], [3, 1])],
  },
  {
    name: 'tensorScatterUpdate',
    run: (x, u, i) => tf.tensorScatterUpdate(x, i, u),
    inputs: [{ shape: [4, 3] }, { shape: [2, 3] }, indices([3, 1], [2, 1])],
  },
  {
    name: 'unsortedSegmentSum',
    run: (x, i) => tf.unsortedSegmentSum(x, i as tf.Tensor1D, 3),
    inputs: [{ shape: [4, 3] }, indices([2, 0, 2, 0])],
  },
  { name: 'topk', run: (x) => tf.topk(x, 3).values, inputs: [distinct] },
  { name: 'oneHot', run: (i) => tf.oneHot(i, 4), inputs: [indices([0, 3, 1])], gradient: false },
  {
    name: 'oneHot, float32',
    run: (i) => tf.oneHot(i, 4, 2.5, -0.5, 'float32'),
    inputs: [indices([0, 3, 1])],
    gradient: false,
  },
  {
    name: 'argMax, argMin',
    run: (x) => [tf.argMax(x, 1), tf.argMin(x, 0)],
    inputs: [distinct],
    gradient: false,
  },
]

const reductions: OpCase[] = (
  [
    ['sum', tf.sum, x234],
    ['mean', tf.mean, x234],
    ['prod', tf.prod, { shape: [2, 3, 4], from: 0.5, to: 1.5 }],
    ['max', tf.max, { shape: [2, 3, 4], distinct: true }],
    ['min', tf.min, { shape: [2, 3, 4], distinct: true }],
    ['logSumExp', tf.logSumExp, x234],
  ] as [string, (x: tf.Tensor, axis?: number | number[], keepDims?: boolean) => tf.Tensor, Input][]
).flatMap(([name, reduce, input]) => [
  one(`${name}, all`, (x) => reduce(x), input),
  one(`${name}, axis 0`, (x) => reduce(x, 0), input),
  one(`${name}, axis -1`, (x) => reduce(x, -1), input),
  one(`${name}, axes 0 and 2 kept`, (x) => reduce(x, [0, 2], true), input),
])

const zeros: Input = { shape: [2, 4], values: [0.5, 0, -2, 1.5, 0, 0, 1, 2] }

const scans: OpCase[] = [
  ...[0, 1, 2].map((axis) => one(`cumsum, axis ${axis}`, (x) => tf.cumsum(x, axis))),
  one('cumsum, exclusive', (x) => tf.cumsum(x, 1, true)),
  one('cumsum, reverse', (x) => tf.cumsum(x, 2, false, true)),
  // A second row length: a backend that caches a program for the first gets it wrong.
  one('cumsum, reverse, longer', (x) => tf.cumsum(x, 1, false, true), { shape: [2, 7] }),
  one('cumsum, reverse and exclusive, axis 0', (x) => tf.cumsum(x, 0, true, true)),
  one('cumprod', (x) => tf.cumprod(x, 1)),
  one('cumprod, exclusive, axis 0', (x) => tf.cumprod(x, 0, true)),
  one('cumprod, reverse', (x) => tf.cumprod(x, 2, false, true)),
  one('cumprod, reverse, longer', (x) => tf.cumprod(x, 1, false, true), { shape: [2, 7] }),
  one('cumprod with zeros', (x) => tf.cumprod(x, 1), zeros),
  one('prod with zeros', (x) => tf.prod(x, 1), zeros),
]

const empty: OpCase[] = [
  {
    name: 'sum of nothing',
    run: () => tf.sum(tf.zeros([2, 0, 3]), 1),
    inputs: [],
    gradient: false,
    truth: () => [{ shape: [2, 3], data: [0, 0, 0, 0, 0, 0] }],
  },
  {
    name: 'sum of nothing to a scalar',
    run: () => tf.sum(tf.zeros([0])),
    inputs: [],
    gradient: false,
    truth: () => [{ shape: [], data: [0] }],
  },
  {
    name: 'matMul over no inner dimension',
    run: () => tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 3])),
    inputs: [],
    gradient: false,
    truth: () => [{ shape: [2, 3], data: [0, 0, 0, 0, 0, 0] }],
  },
  {
    name: 'sum of a million',
    run: () => tf.sum(tf.fill([1_000_003], 0.1)),
    inputs: [],
    gradient: false,
    truth: () => [{ shape: [], data: [1_000_003 * Math.fround(0.1)] }],
  },
  {
    name: 'mean over 200,000 rows',
    run: () => tf.mean(tf.fill([200_000, 2], 0.1), 0),
    inputs: [],
    gradient: false,
    truth: () => [{ shape: [2], data: [0.1, 0.1] }],
  },
  {
    name: 'tensorScatterUpdate leaves its input alone',
    run: (x, i) => {
      const updated = tf.tensorScatterUpdate(x, i, tf.zeros([1, 3]))
      return [updated, tf.clone(x)]
    },
    inputs: [{ shape: [2, 3], values: [1, 2, 3, 4, 5, 6] }, indices([1], [1, 1])],
    gradient: false,
    truth: () => [
      { shape: [2, 3], data: [1, 2, 3, 0, 0, 0] },
      { shape: [2, 3], data: [1, 2, 3, 4, 5, 6] },
    ],
  },
]

/** Large enough that tfjs-webgpu does not take them to the CPU, and no value twice: 1153 is prime. */
const integers: Input = {
  shape: [8, 12, 12],
  dtype: 'int32',
  values: Array.from({ length: 1152 }, (_, i) => ((35 * i) % 1153) - 500),
}
const small: Input = { shape: [8, 12, 12], dtype: 'int32', from: -2, to: 3 }
const booleans: Input = { shape: [2, 24, 24], dtype: 'bool', from: 0, to: 2 }

const integerCases: OpCase[] = (
  [
    ['transpose of integers', (x) => tf.transpose(x, [2, 0, 1]), integers],
    [
      'transpose of booleans, rank 4',
      (x) => tf.transpose(tf.reshape(x, [2, 4, 6, 24]), [3, 1, 0, 2]),
      booleans,
    ],
    ['transpose of booleans as floats', (x) => tf.transpose(tf.cast(x, 'float32'), [1, 2, 0]), booleans],
    ['sum of booleans as floats, axis 0', (x) => tf.sum(tf.cast(x, 'float32'), 0), booleans],
    ['sum of integers, axis 0', (x) => tf.sum(x, 0), integers],
    ['sum of integers, axes 0 and 1 kept', (x) => tf.sum(x, [0, 1], true), integers],
    ['mean of integers, axis 1', (x) => tf.mean(x, 1), integers],
    ['prod of integers, axis 0', (x) => tf.prod(x, 0), small],
    ['max of integers, axis 0', (x) => tf.max(x, 0), integers],
    ['min of integers, axis 1 kept', (x) => tf.min(x, 1, true), integers],
    ['argMax of integers, axis 0', (x) => tf.argMax(x, 0), integers],
    ['argMin of integers, axis 1', (x) => tf.argMin(x, 1), integers],
    ['all, axis 0', (x) => tf.all(x, 0), booleans],
    ['any, axis 0', (x) => tf.any(x, 0), booleans],
    ['cumsum of integers, axis 0', (x) => tf.cumsum(x, 0), integers],
    ['cumprod of integers, axis 0', (x) => tf.cumprod(x, 0), small],
    [
      'batchToSpaceND of integers',
      (x) =>
        tf.batchToSpaceND(
          tf.reshape(x, [8, 12, 12, 1]),
          [2, 2],
          [
            [1, 0],
            [0, 2],
          ],
        ),
      integers,
    ],
    [
      'unsortedSegmentSum of integers',
      (x) => tf.unsortedSegmentSum(x, tf.tensor1d([2, 0, 2, 1, -1, 0, 2, 5], 'int32'), 4),
      integers,
    ],
  ] as [string, (x: tf.Tensor) => tf.Tensor, Input][]
).map(([name, run, input]) => ({ ...one(name, run, input), gradient: false }))

/** Consecutive integers of which a float holds one in 64. */
const large = Int32Array.from({ length: 1152 }, (_, i) => 2 ** 30 + i)

const exactCases: OpCase[] = [
  {
    name: 'transpose of a matrix of large integers',
    // webgl keeps integers as floats.
    only: ['cpu', 'wasm', 'webgpu'],
    run: () => tf.transpose(tf.tensor2d(large, [32, 36])),
    inputs: [],
    gradient: false,
    forwardTolerance: 0,
  },
]

export const arrayCases: OpCase[] = [
  ...moves,
  ...selections,
  ...reductions,
  ...scans,
  ...integerCases,
  ...exactCases,
  ...empty,
]
