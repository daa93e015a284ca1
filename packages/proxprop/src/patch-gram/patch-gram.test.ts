import * as tf from '@tensorflow/tfjs-core'
import { describeOp } from '@tfgraft/testing'
import type { ConvGeometry } from '../patches'
import { patchGramOp } from './op'

const geometry = (more: Partial<ConvGeometry> = {}): ConvGeometry => ({
  kernelSize: [3, 3],
  strides: [1, 1],
  padding: 'same',
  dilationRate: [1, 1],
  ...more,
})

const rows: [title: string, shape: [number, number, number, number], attrs: ConvGeometry][] = [
  ['3 x 3, same', [2, 5, 6, 2], geometry()],
  ['3 x 3, valid', [3, 7, 5, 4], geometry({ padding: 'valid' })],
  ['5 x 5 with one channel, same', [2, 9, 8, 1], geometry({ kernelSize: [5, 5] })],
  ['2 x 2, several chunks', [9, 14, 14, 20], geometry({ kernelSize: [2, 2] })],
  ['5 x 5, valid', [2, 8, 11, 3], geometry({ kernelSize: [5, 5], padding: 'valid' })],
  ['2 x 4, which pad unevenly', [2, 6, 7, 5], geometry({ kernelSize: [2, 4] })],
  ['a kernel larger than the image', [2, 3, 2, 3], geometry({ kernelSize: [5, 7] })],
  ['a kernel as large as the image, valid', [4, 3, 4, 2], geometry({ kernelSize: [3, 4], padding: 'valid' })],
  ['one pixel', [3, 1, 1, 6], geometry()],
  ['1 x 1', [2, 3, 4, 7], geometry({ kernelSize: [1, 1] })],
  ['one row', [2, 1, 9, 2], geometry({ kernelSize: [1, 3] })],
  ['stride 2, by patches', [2, 7, 6, 2], geometry({ strides: [2, 2] })],
  ['dilation 2, by patches', [2, 7, 8, 2], geometry({ dilationRate: [2, 2] })],
]

describeOp(patchGramOp, [
  ...rows.map(([title, shape, attrs], seed) => ({
    title,
    inputs: () => ({ x: tf.randomNormal(shape, 0.5, 1, 'float32', seed) as tf.Tensor4D }),
    attrs,
    gradient: false,
    tolerance: { rtol: 1e-4, atol: 1e-3 },
  })),
  {
    title: 'NaN in every pixel',
    inputs: () => ({ x: tf.fill([1, 4, 4, 1], Number.NaN) as tf.Tensor4D }),
    attrs: geometry({ padding: 'valid' }),
    gradient: false,
  },
])
