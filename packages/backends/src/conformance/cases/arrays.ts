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
    only: ['cpu', 'wasm', 'webgpu'],
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

export const arrayCases: OpCase[] = [...moves, ...selections, ...reductions, ...scans, ...empty]
