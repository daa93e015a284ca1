import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { explain } from './explain'
import { explainCallback } from './explain-callback'
import type { LayerReport } from './layer-report'
import { proxConv2d } from './prox-conv2d'
import { proxDense } from './prox-dense'

const batch = () => ({
  xs: tf.randomNormal([6, 5, 5, 1], 0, 1, 'float32', 1),
  ys: tf.randomNormal([6, 2], 0, 1, 'float32', 2),
})

const network = () =>
  tfl.sequential({
    layers: [
      proxConv2d({ filters: 2, kernelSize: 3, inputShape: [5, 5, 1], name: 'conv', tau: 0.5 }),
      tfl.layers.flatten(),
      proxDense({ units: 4, activation: 'tanh', name: 'dense', tau: { trustRatio: 0.01, initial: 2 } }),
      tfl.layers.dense({ units: 2 }),
    ],
  })

describeBackends('explain', () => {
  it('reports every proximal layer, takes no step and learns nothing', async () => {
    const model = network()
    const { xs, ys } = batch()
    const before = model.getWeights().map((weight) => weight.dataSync().slice())
    const reports = await expectNoTensorLeak(() => explain(model, xs, ys, tfl.metrics.meanSquaredError))
    model.getWeights().forEach((weight, i) => void expectClose(weight, before[i]!, { rtol: 0, atol: 0 }))
    expect(reports.map(({ layer, iterations, tau }) => [layer, iterations, tau])).toEqual([
      ['dense', 0, 2],
      ['conv', 3, 0.5],
    ])
    for (const { angle, stepNorm, gradientNorm, condition, relativeStep } of reports) {
      expect(angle).toBeLessThan(90)
      expect(angle).toBeGreaterThan(0)
      expect(condition).toBeGreaterThan(1)
      for (const value of [stepNorm, gradientNorm, relativeStep]) expect(value).toBeGreaterThan(0)
    }
    model.dispose()
    tf.dispose([xs, ys])
  })

  it('finds the condition number of a system that it can be computed for', async () => {
    const model = tfl.sequential({
      layers: [proxDense({ units: 3, useBias: false, inputShape: [3], tau: 0.1 })],
    })
    const xs = tf.diag(tf.tensor1d([6, 2, 0])) as tf.Tensor2D // eigenvalues of A'A: 36, 4, 0
    const ys = tf.ones([3, 3])
    const [report] = await explain(model, xs, ys, tfl.metrics.meanSquaredError)
    expectClose([report!.condition], [(36 + 10) / (0 + 10)], { rtol: 1e-3 })
    model.dispose()
    tf.dispose([xs, ys])
  })

  it('rejects a model without a proximal layer', async () => {
    const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [2] })] })
    const [xs, ys] = [tf.ones([2, 2]), tf.ones([2, 1])]
    await expect(explain(model, xs, ys, tfl.metrics.meanSquaredError)).rejects.toThrow(
      'explain: the model must have a proximal layer that is trainable.',
    )
    model.dispose()
    tf.dispose([xs, ys])
  })
})

describeBackends('explainCallback', () => {
  it('logs every n-th batch of model.fit, and training learns tau all the same', async () => {
    const model = network()
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' })
    const { xs, ys } = batch()
    const seen: { at: object; reports: LayerReport[] }[] = []
    const callbacks = explainCallback({ every: 2, log: (reports, at) => void seen.push({ at, reports }) })
    const fit = () => model.fit(xs, ys, { batchSize: 2, epochs: 2, verbose: 0, callbacks })
    await fit()
    expect(seen.map(({ at }) => at)).toEqual([
      { epoch: 0, batch: 0 },
      { epoch: 0, batch: 2 },
      { epoch: 1, batch: 0 },
      { epoch: 1, batch: 2 },
    ])
    expect(seen[0]!.reports.map(({ layer }) => layer)).toEqual(['dense', 'conv'])
    expect(seen[0]!.reports[0]!.tau).not.toBe(seen[1]!.reports[0]!.tau)
    await expectNoTensorLeak(async () => void (await fit()))
    model.dispose()
    tf.dispose([xs, ys])
  })

  it('rejects an interval below 1', () => {
    expect(() => explainCallback({ every: 0 })).toThrow(
      'explainCallback: `every` must be an integer of at least 1. Received every=0.',
    )
  })
})
