import * as tf from '@tensorflow/tfjs-core'
import { describeOp, type OpCase } from '@tfgraft/testing'
import { normalizeParts, normalizePartsGradient } from './op'

const normal = (shape: number[], seed: number) => tf.randomNormal(shape, 0.5, 2, 'float32', seed)

const shapes = [
  { title: 'one part', shape: [3, 5, 8], split: [3] },
  { title: 'uneven parts, odd channels', shape: [7, 3, 5], split: [4, 1, 2] },
  { title: 'more rows than one piece of a sum', shape: [6, 61, 6], split: [3, 3] },
  { title: 'one channel', shape: [4, 9, 1], split: [1, 3] },
  { title: 'one value per channel', shape: [2, 1, 4], split: [1, 1] },
]

const forward: OpCase<
  { x: tf.Tensor; gamma: tf.Tensor; beta: tf.Tensor },
  { split: number[]; epsilon: number }
>[] = shapes.map(({ title, shape, split }) => ({
  title,
  inputs: () => ({
    x: normal(shape, 1),
    gamma: normal([split.length, shape[2]!], 2),
    beta: normal([split.length, shape[2]!], 3),
  }),
  attrs: { split, epsilon: 1e-3 },
  gradient: false, // that of y alone is defined: see the layer's test against finite differences
}))

describeOp(normalizeParts, forward)

const backward: OpCase<
  { x: tf.Tensor; dy: tf.Tensor; gamma: tf.Tensor; mean: tf.Tensor; inverse: tf.Tensor },
  { split: number[] }
>[] = shapes.map(({ title, shape, split }) => ({
  title,
  inputs: () => ({
    x: normal(shape, 1),
    dy: normal(shape, 4),
    gamma: normal([split.length, shape[2]!], 2),
    mean: normal([split.length, shape[2]!], 5),
    inverse: tf.abs(normal([split.length, shape[2]!], 6)),
  }),
  attrs: { split },
  gradient: false,
}))

describeOp(normalizePartsGradient, backward)
