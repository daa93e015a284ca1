/** Element by element: one input, two inputs with and without broadcasting, comparisons and choices. */
import * as tf from '@tensorflow/tfjs-core'
import type { Input, OpCase } from '../op-case'

const smooth = { shape: [3, 4] }
const kinked = { shape: [4, 6], distinct: true }
const positive = { shape: [3, 4], from: 0.2, to: 2 }
const inside = { shape: [3, 4], from: -0.8, to: 0.8 }

const unary: [string, (x: tf.Tensor) => tf.Tensor, Input][] = [
  ['abs', tf.abs, kinked],
  ['acos', tf.acos, inside],
  ['acosh', tf.acosh, { shape: [3, 4], from: 1.5, to: 3 }],
  ['asin', tf.asin, inside],
  ['asinh', tf.asinh, smooth],
  ['atan', tf.atan, smooth],
  ['atanh', tf.atanh, inside],
  ['ceil', tf.ceil, kinked],
  ['clipByValue', (x) => tf.clipByValue(x, -0.5, 0.7), kinked],
  ['cos', tf.cos, smooth],
  ['cosh', tf.cosh, smooth],
  ['elu', tf.elu, kinked],
  ['erf', tf.erf, smooth],
  ['exp', tf.exp, smooth],
  ['expm1', tf.expm1, smooth],
  ['floor', tf.floor, kinked],
  ['leakyRelu', (x) => tf.leakyRelu(x, 0.3), kinked],
  ['log', tf.log, positive],
  ['log1p', tf.log1p, positive],
  ['logSigmoid', tf.logSigmoid, smooth],
  ['neg', tf.neg, smooth],
  ['reciprocal', tf.reciprocal, positive],
  ['relu', tf.relu, kinked],
  ['relu6', (x) => tf.relu6(tf.mul(x, 7.5)), kinked],
  ['round', tf.round, kinked],
  ['rsqrt', tf.rsqrt, positive],
  ['selu', tf.selu, kinked],
  ['sigmoid', tf.sigmoid, smooth],
  ['sign', tf.sign, kinked],
  ['sin', tf.sin, smooth],
  ['sinh', tf.sinh, smooth],
  ['softplus', tf.softplus, smooth],
  ['sqrt', tf.sqrt, positive],
  ['square', tf.square, smooth],
  ['step', (x) => tf.step(x, 0.1), kinked],
  ['tan', tf.tan, smooth],
  ['tanh', tf.tanh, smooth],
]

/** Positions differ by 0.1, values of `a` and `b` by at least 0.03. */
const apart = (shape: number[]): Input[] => [
  { shape, distinct: true },
  {
    shape,
    values: Array.from({ length: shape.reduce((p, q) => p * q, 1) }, (_, i) => ((i * 7) % 13) * 0.1 - 0.58),
  },
]

const binary: [string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, Input, Input][] = [
  ['add', tf.add, smooth, smooth],
  ['sub', tf.sub, smooth, smooth],
  ['mul', tf.mul, smooth, smooth],
  ['div', tf.div, smooth, positive],
  ['divNoNan', tf.divNoNan, smooth, positive],
  ['pow', tf.pow, positive, smooth],
  ['atan2', tf.atan2, smooth, positive],
  ['maximum', tf.maximum, ...(apart([4, 6]) as [Input, Input])],
  ['minimum', tf.minimum, ...(apart([4, 6]) as [Input, Input])],
  ['squaredDifference', tf.squaredDifference, smooth, smooth],
  ['mod', tf.mod, { shape: [3, 4], from: 0.1, to: 0.4 }, { shape: [3, 4], from: 0.6, to: 0.9 }],
  [
    'floorDiv',
    (a, b) => tf.add(tf.cast(tf.floorDiv(a, b), 'float32'), tf.mul(a, b)),
    { shape: [3, 4], from: 1.1, to: 1.4 },
    { shape: [3, 4], from: 0.75, to: 0.85 },
  ],
  ['prelu', tf.prelu, kinked, { shape: [6], from: 0.1, to: 0.5 }],
]

const broadcast: [string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor][] = [
  ['add', tf.add],
  ['sub', tf.sub],
  ['mul', tf.mul],
  ['div', tf.div],
  ['maximum', tf.maximum],
  ['minimum', tf.minimum],
  ['squaredDifference', tf.squaredDifference],
  ['pow', tf.pow],
]
const column: Input = { shape: [4, 1, 3], from: 0.5, to: 1, distinct: false }
const row: Input = { shape: [5, 1], from: 1.1, to: 1.6 }

export const elementwiseCases: OpCase[] = [
  ...unary.map(([name, run, input]): OpCase => ({ name, run, inputs: [input] })),
  ...binary.map(([name, run, a, b]): OpCase => ({ name, run, inputs: [a, b] })),
  ...broadcast.map(([name, run]): OpCase => ({ name: `${name}, broadcast`, run, inputs: [column, row] })),
  {
    name: 'mul, rank 7 broadcast',
    only: ['cpu', 'wasm'],
    run: tf.mul,
    inputs: [{ shape: [2, 1, 2, 1, 2, 1, 3] }, { shape: [1, 2, 2, 2, 1, 2, 3] }],
  },
  {
    name: 'where, condition of the variable',
    run: (x, y) => tf.where(tf.greater(x, 0), x, tf.mul(x, y)),
    inputs: [kinked, { shape: [4, 6] }],
  },
  {
    name: 'where, broadcast',
    run: (c, a, b) => tf.where(c, a, b),
    inputs: [{ shape: [3, 1], values: [1, 0, 1], dtype: 'bool' }, { shape: [3, 4] }, { shape: [4] }],
  },
  {
    name: 'logicalNot of the variable',
    run: (x) => tf.where(tf.logicalNot(tf.less(x, 0)), x, tf.neg(x)),
    inputs: [kinked],
  },
  {
    name: 'clipByValue of NaN',
    run: (x) => tf.clipByValue(x, -1, 1),
    inputs: [{ shape: [3], values: [Number.NaN, 2, -3] }],
    gradient: false,
  },
  {
    name: 'cast 0.3 to bool',
    run: (x) => tf.cast(x, 'bool'),
    inputs: [{ shape: [4], values: [0.3, 0, -0.2, 5] }],
    gradient: false,
  },
  {
    name: 'isNaN, isInf, isFinite',
    run: (x) => [tf.isNaN(x), tf.isInf(x), tf.isFinite(x)],
    inputs: [{ shape: [3], values: [Number.NaN, Number.POSITIVE_INFINITY, 1] }],
    gradient: false,
  },
  { name: 'addN', run: (a, b, c) => tf.addN([a, b, c]), inputs: [smooth, smooth, smooth] },
]
