import * as tf from '@tensorflow/tfjs-core'
import { model as buildModel, input, layers, type SymbolicTensor, sequential } from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { decode, encode } from 'fast-png'
import { expect, it } from 'vitest'
import {
  attentionMapPixels,
  attentionMapSvg,
  attentionMapsOf,
  attentionMapsOfModel,
  causalLanguageModel,
  type DifferentialAttention,
  differentialAttention,
  differentialAttentionV2,
  lambdaInit,
  multiHeadAttention,
} from './index'

describeBackends('attention maps', () => {
  it.each([differentialAttention, differentialAttentionV2, multiHeadAttention])(
    'are causal, sum to 1, and to 1 - lambda in their difference',
    (make) => {
      const layer = make({ numHeads: 2, causal: true })
      const x = tf.randomNormal([2, 5, 8], 0, 1, 'float32', 1)
      layer.apply(x)
      const { first, second, difference } = attentionMapsOf(layer, x)
      expect(first.shape).toEqual([2, 2, 5, 5])
      expectClose(tf.sum(first, -1), tf.ones([2, 2, 5]))
      expectClose(tf.slice(first, [0, 0, 0, 1], [2, 2, 1, 4]), tf.zeros([2, 2, 1, 4]), { atol: 0 })
      if (!('lambda' in layer)) return
      expectClose(tf.sum(second!, -1), tf.ones([2, 2, 5]))
      const lambda = layer.lambda(x)
      const perRow = lambda.rank === 0 ? tf.mul(tf.ones([2, 2, 5]), lambda) : tf.transpose(lambda, [0, 2, 1])
      expectClose(tf.sum(difference!, -1), tf.sub(1, perRow))
    },
  )

  it('come from all attention layers of a model, blocks and their masks included', async () => {
    const model = causalLanguageModel({ vocabularySize: 5, dim: 8, numLayers: 2, numHeads: 2 })
    const ids = tf.tensor2d([[1, 2, 3, 4]], [1, 4], 'int32')
    const before = model.predict(ids) as tf.Tensor
    await expectNoTensorLeak(() => {
      const all = attentionMapsOfModel(model, ids)
      expect(all.map(({ layer }) => (layer as DifferentialAttention).lambdaInit)).toEqual([
        lambdaInit(0),
        lambdaInit(1),
      ])
      for (const { maps } of all) {
        tf.tidy(() => expectClose(tf.sum(maps.first, -1), tf.ones([1, 2, 4])))
        tf.dispose([maps.first, maps.second!, maps.difference!])
      }
    })
    expectClose(model.predict(ids) as tf.Tensor, before)

    const tokens = input({ shape: [4], dtype: 'int32' })
    const embedded = layers.embedding({ inputDim: 9, outputDim: 8, maskZero: true }).apply(tokens)
    const attended = multiHeadAttention({ numHeads: 1 }).apply(embedded) as SymbolicTensor
    const [only] = attentionMapsOfModel(
      buildModel({ inputs: tokens, outputs: attended }),
      tf.tensor2d([[3, 4, 0, 0]], [1, 4], 'int32'),
    )
    expectClose(tf.slice(only!.maps.first, [0, 0, 0, 2], [1, 1, 4, 2]), tf.zeros([1, 1, 4, 2]), { atol: 0 })
    const plain = sequential({ layers: [layers.dense({ units: 1, inputShape: [2] })] })
    expect(() => attentionMapsOfModel(plain, tf.ones([1, 2]))).toThrow(
      'must have attention layers of this package',
    )
  })

  it('are drawn with a rectangle per weight, positive in blue and negative in red', async () => {
    const layer = differentialAttention({ numHeads: 1 })
    const x = tf.randomNormal([1, 3, 8], 0, 1, 'float32', 1)
    layer.apply(x)
    await expectNoTensorLeak(() => {
      const maps = attentionMapsOf(layer, x)
      const svg = attentionMapSvg(maps)
      expect(svg.match(/<rect/g)!.length).toBe(3 * (1 + 9))
      expect(svg).toContain('A1 - lambda A2, head 0')
      expect(() => attentionMapSvg(maps, { example: 1 })).toThrow('`example` must be in the batch of 1')
      tf.dispose([maps.first, maps.second!, maps.difference!])
    })
    const maps = { first: tf.tensor4d([1, -1, 0, 0.25], [1, 1, 2, 2]) }
    expect(attentionMapSvg(maps)).toMatch(/rgb\(0,0,255\).*rgb\(255,0,0\).*rgb\(128,128,255\)/)
  })

  it('are pixels that a PNG file holds: a cell per weight, maps a cell apart', () => {
    const maps = {
      first: tf.tensor4d([1, -1, 0, 0.25], [1, 1, 2, 2]),
      second: tf.tensor4d([0, 0, 0, 1], [1, 1, 2, 2]),
    }
    const { data, width, height } = decode(encode(attentionMapPixels(maps, { cell: 2 })))
    expect([width, height]).toEqual([8, 14])
    const pixel = (x: number, y: number) =>
      Array.from(data.slice(4 * (y * width + x), 4 * (y * width + x) + 4))
    expect(pixel(0, 0)).toEqual([221, 221, 221, 255])
    expect(pixel(2, 2)).toEqual([0, 0, 255, 255])
    expect(pixel(3, 3)).toEqual([0, 0, 255, 255])
    expect(pixel(4, 2)).toEqual([255, 0, 0, 255])
    expect(pixel(2, 4)).toEqual([255, 255, 255, 255])
    expect(pixel(5, 5)).toEqual([128, 128, 255, 255])
    expect(pixel(4, 10)).toEqual([0, 0, 255, 255]) // the second map
    expect(() => attentionMapPixels(maps, { cell: 0 })).toThrow(
      'attentionMapPixels: `cell` must be a positive integer. Received cell=0.',
    )
  })
})
