/** Inputs of the SparseTopK op, shared by its test and its benchmark. */
import * as tf from '@tensorflow/tfjs-core'
import type { OpCase } from '@tfgraft/testing'
import type { Convention, SelectionAttributes } from './threshold'

type Case = OpCase<{ x: tf.Tensor }, SelectionAttributes>

const normal = (shape: number[], seed = 1) => tf.randomNormal(shape, 0, 1, 'float32', seed)
/** Few distinct magnitudes, so that planes are full of ties; as after ReLU, many zeros. */
const ties = (shape: number[], seed = 1) => tf.round(tf.mul(tf.relu(normal(shape, seed)), 2))
/** Magnitudes from denormal to huge. */
const spread = (shape: number[]) => tf.mul(normal(shape, 2), tf.exp(tf.mul(normal(shape, 3), 20)))

const row = (
  title: string,
  x: () => tf.Tensor,
  k: number,
  convention: Convention,
  factors = { kept: 1, dropped: 0 },
): Case => ({ title, inputs: () => ({ x: x() }), attrs: { k, convention, ...factors } })

export const selectionCases: Case[] = (['quantile', 'count', 'countWithTies'] as const).flatMap(
  (convention) => [
    row(`${convention}: random`, () => normal([2, 64, 6]), 0.2, convention),
    row(`${convention}: many channels, long planes`, () => normal([1, 530, 21]), 0.13, convention),
    row(`${convention}: odd sizes`, () => normal([3, 7, 5]), 0.5, convention),
    row(`${convention}: one channel`, () => normal([5, 33, 1]), 0.3, convention),
    row(`${convention}: planes of one entry`, () => normal([2, 1, 3]), 0.4, convention),
    row(`${convention}: k = 0`, () => normal([2, 10, 4]), 0, convention),
    row(`${convention}: k = 1`, () => normal([2, 10, 4]), 1, convention),
    row(`${convention}: ties`, () => ties([2, 50, 7]), 0.2, convention),
    row(`${convention}: ties, long planes`, () => ties([1, 300, 4]), 0.4, convention),
    row(`${convention}: zeros`, () => tf.zeros([1, 40, 4]), 0.2, convention),
    row(`${convention}: extreme magnitudes`, () => spread([1, 200, 5]), 0.2, convention),
    row(`${convention}: other factors`, () => normal([2, 20, 4]), 0.3, convention, {
      kept: 0.25,
      dropped: 1,
    }),
  ],
)
