import * as tf from '@tensorflow/tfjs-core'
import { describeOp, type OpCase } from '@tfgraft/testing'
import { moveStatistics, type Statistics } from './move-statistics'
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

const moved: OpCase<{ [name in keyof Statistics]: tf.Tensor }, { rate: number; correction: number }>[] = [
  { channels: 5, rate: 0.1, correction: 8 / 7 },
  { channels: 1, rate: 1, correction: 1 },
  { channels: 64, rate: 0, correction: 2 },
].map(({ channels, ...attrs }) => ({
  title: `${channels} channels at rate ${attrs.rate}`,
  inputs: () => ({
    runningMean: normal([channels], 7),
    runningVariance: tf.abs(normal([channels], 8)),
    mean: normal([channels], 9),
    variance: tf.abs(normal([channels], 10)),
  }),
  attrs,
  gradient: false, // running statistics are not differentiated
}))

describeOp(moveStatistics, moved)
