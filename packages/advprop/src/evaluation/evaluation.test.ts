import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { blobs, trainedModel } from '../attacks/cases'
import { pgd } from '../attacks/pgd'
import type { Attack } from '../attacks/target'
import { cueConflict, otsuThreshold, shapeBias, silhouette } from './cue-conflict'
import { evaluateRobustness } from './evaluate-robustness'
import { wilsonInterval } from './wilson'

const attacks: Record<string, Attack> = {
  weak: (t, x, y) => pgd(t, x, y, { epsilon: 0.02, iterations: 2 }),
  'PGD-8': (t, x, y) => pgd(t, x, y, { epsilon: 0.1, iterations: 8 }),
}

describeBackends('evaluateRobustness', () => {
  it('an honest model passes every check; the worst case is at most every attack’s accuracy', async () => {
    const model = trainedModel(1)
    const { images, labels } = blobs(60, 2)
    const report = await expectNoTensorLeak(() =>
      evaluateRobustness(model, images, labels, { epsilon: 0.1, attacks, batchSize: 25 }),
    )
    expect(report.count).toBe(60)
    expect(report.checks.map(({ passed }) => passed)).toEqual([true, true, true, true])
    for (const { accuracy, interval } of Object.values(report.attacks)) {
      expect(report.worstCase.accuracy).toBeLessThanOrEqual(accuracy)
      expect(interval[0]).toBeLessThanOrEqual(accuracy)
      expect(interval[1]).toBeGreaterThanOrEqual(accuracy)
    }
    expect(report.attacks['PGD-8']!.accuracy).toBeLessThan(report.clean.accuracy)
    expect(`${report}`).toContain('worst case')
  })

  it('a model whose gradients are rounded away is caught', async () => {
    const model = trainedModel(3)
    const { images, labels } = blobs(60, 4)
    // The rounding has no gradient, so that white-box attacks see nothing.
    const round = tf.customGrad((x) => ({
      value: tf.div(tf.round(tf.mul(x as tf.Tensor, 20)), 20),
      gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
    }))
    const masked = (x: tf.Tensor) => tf.log(tf.add(model.apply(round(x)) as tf.Tensor, 1e-30))
    const report = await evaluateRobustness(masked, images, labels, { epsilon: 0.2, attacks })
    expect(report.checks.find(({ rule }) => rule.includes('black box'))!.passed).toBe(false)
    expect(`${report}`).toContain('FAIL')
  })

  it('the default ensemble runs', async () => {
    const model = trainedModel(5, 40)
    const { images, labels } = blobs(8, 6)
    const seen: number[] = []
    const { attacks: results } = await evaluateRobustness(model, images, labels, {
      epsilon: 0.05,
      batchSize: 4,
      onProgress: (done) => seen.push(done),
    })
    expect(Object.keys(results)).toEqual(['PGD-20', 'APGD-CE', 'APGD-T', 'Square'])
    expect(seen).toEqual([4, 8])
  })

  it('intervals are Wilson’s', () => {
    expectClose(wilsonInterval(8, 10), [0.4902, 0.9433], { rtol: 1e-3 })
    expect(wilsonInterval(0, 10)[0]).toBe(0)
    expect(wilsonInterval(0, 0)).toEqual([0, 1])
  })
})

/** A bright object with stripes of `period` on black: a square (class 0) or a cross (class 1). */
function object(kind: 0 | 1, period: number) {
  const inside = (y: number, x: number) =>
    kind === 0 ? y >= 5 && y < 19 && x >= 5 && x < 19 : (y >= 9 && y < 15) || (x >= 9 && x < 15)
  const border = (y: number, x: number) => Math.min(y, x, 23 - y, 23 - x) < 2
  return Array.from({ length: 24 * 24 }, (_, i) => {
    const [y, x] = [Math.floor(i / 24), i % 24]
    return inside(y, x) && !border(y, x) ? 0.6 + 0.4 * (Math.floor(x / period) % 2) : 0
  })
}

describeBackends('cue conflict', () => {
  it('keeps the shape’s silhouette and takes the texture’s pixels', () => {
    const images = tf.tensor4d([...object(0, 1), ...object(1, 3)], [2, 24, 24, 1])
    const labels = tf.tensor1d([0, 1], 'int32')
    const { images: made, shapes, textures } = cueConflict(images, labels, { count: 10, patch: 6, seed: 1 })
    expect(made.shape).toEqual([10, 24, 24, 1])
    const values = made.dataSync()
    const masks = [object(0, 1), object(1, 3)].map((o) => o.map((v) => v > 0))
    for (let n = 0; n < 10; n++) {
      expect(shapes[n]).not.toBe(textures[n])
      const one = [...values.slice(n * 576, (n + 1) * 576)]
      expect(one.map((v) => v > 0)).toEqual(masks[shapes[n]!])
    }
    expect(made.dataSync()).toEqual(
      cueConflict(images, labels, { count: 10, patch: 6, seed: 1 }).images.dataSync(),
    )
  })

  it('the texture may fill the background too, as strongly as asked', () => {
    const images = tf.tensor4d([...object(0, 1), ...object(1, 3)], [2, 24, 24, 1])
    const labels = tf.tensor1d([0, 1], 'int32')
    const make = (background: number) => {
      const { images: made, shapes } = cueConflict(images, labels, {
        count: 4,
        patch: 6,
        seed: 1,
        background,
      })
      return { values: made.dataSync(), shapes }
    }
    const [none, half, whole] = [make(0), make(0.5), make(1)]
    expect([...half.shapes]).toEqual([...none.shapes])
    const black = [...none.values.keys()].filter((i) => none.values[i] === 0)
    for (const i of black) expect(half.values[i]).toBeCloseTo(0.5 * whole.values[i]!)
    expect(Math.max(...black.map((i) => half.values[i]!))).toBeGreaterThan(0.25)
    none.values.forEach((value, i) => {
      if (value > 0) expect(half.values[i]).toBe(value)
    })
  })

  it('shape bias counts decisions for either cue', () => {
    const conflict = {
      images: tf.tensor4d([0, 1, 2, 2], [4, 1, 1, 1]),
      shapes: Int32Array.of(0, 2, 0, 0),
      textures: Int32Array.of(1, 1, 2, 1),
    }
    const decide = (x: tf.Tensor) => tf.neg(tf.abs(tf.sub(tf.reshape(x, [-1, 1]), tf.tensor2d([[0, 1, 2]]))))
    expect(shapeBias(decide, conflict)).toEqual({ shapeBias: 1 / 3, byShape: 1, byTexture: 2, neither: 1 })
  })

  it('Otsu splits two groups; the silhouette is the object, bright or dark', () => {
    const threshold = otsuThreshold([0, 0.1, 0.05, 0.9, 1, 0.95])
    expect(threshold).toBeGreaterThan(0.1)
    expect(threshold).toBeLessThanOrEqual(0.9)
    const bright = Float32Array.from(object(0, 2))
    const mask = silhouette({ data: bright, height: 24, width: 24, channels: 1 })
    expect([...mask]).toEqual([...bright].map((v) => (v > 0 ? 1 : 0)))
    const dark = bright.map((v) => 1 - v)
    expect(silhouette({ data: dark, height: 24, width: 24, channels: 1 })).toEqual(mask)
  })

  it('says what is wrong with its arguments', () => {
    const x = tf.zeros([2, 4, 4, 1]) as tf.Tensor4D
    expect(() => cueConflict(x, tf.tensor1d([1, 1], 'int32'))).toThrow('at least two classes. Received 1.')
    expect(() => cueConflict(x, tf.tensor1d([0], 'int32'))).toThrow('of 2 images. Received shape=[1].')
    expect(
      cueConflict(
        x,
        tf.tensor2d([
          [1, 0],
          [0, 1],
        ]),
        { count: 4 },
      ).shapes,
    ).toEqual(cueConflict(x, tf.tensor1d([0, 1], 'int32'), { count: 4 }).shapes)
    expect(() => cueConflict(x, tf.tensor1d([0, 1], 'int32'), { count: 0 })).toThrow('`count`')
    expect(() => cueConflict(x, tf.tensor1d([0, 1], 'int32'), { patch: 9 })).toThrow('Received patch=9.')
    expect(() => cueConflict(x, tf.tensor1d([0, 1], 'int32'), { background: 2 })).toThrow(
      'cueConflict: `background` must be in [0, 1]. Received background=2.',
    )
  })
})
