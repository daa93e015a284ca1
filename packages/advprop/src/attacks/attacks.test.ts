import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { apgd, fgsm, normalizedBounds, pgd, pgdL2, squareAttack, transfer } from '../index'
import { checkpoints } from './apgd'
import { attacks, blobs, CLASSES, trainedModel } from './cases'
import { squareFraction } from './square-attack'
import { classifierOf, correct } from './target'

const accuracy = (target: tfl.LayersModel, images: tf.Tensor, labels: tf.Tensor) =>
  tf.tidy(() => tf.mean(correct(classifierOf(target).logits(images), labels)).dataSync()[0]!)

describeBackends('attacks', () => {
  it.each(Object.entries(attacks))(
    '%s lowers accuracy and leaves no tensor behind',
    async (name, { run }) => {
      const model = trainedModel(1)
      const { images, labels } = blobs(64, 2)
      const before = accuracy(model, images, labels)
      expect(before).toBeGreaterThan(0.9)
      run(model, images, labels, { epsilon: 0.1 }).dispose()
      const adversarial = await expectNoTensorLeak(
        () => run(model, images, labels, { epsilon: name === 'pgdL2' ? 1.5 : 0.25, seed: 1 }),
        1,
      )
      expect(accuracy(model, adversarial, labels)).toBeLessThan(before - 0.2)
    },
  )

  it('apgd is at least as strong as pgd, on three models', () => {
    for (const seed of [11, 12, 13]) {
      const model = trainedModel(seed)
      const { images, labels } = blobs(200, seed + 100)
      const options = { epsilon: 0.1, iterations: 20 }
      const byPgd = accuracy(model, pgd(model, images, labels, options), labels)
      const byApgd = accuracy(model, apgd(model, images, labels, options), labels)
      expect(byApgd).toBeLessThanOrEqual(byPgd + 0.005)
      model.dispose()
    }
  })

  it('targets: a targeted attack reaches its class, one-hot labels equal indices', () => {
    const model = trainedModel(3)
    const { images, labels } = blobs(32, 4)
    const wanted = tf.tensor1d(
      [...labels.dataSync()].map((y) => (y + 1) % CLASSES),
      'int32',
    )
    const options = { epsilon: 0.5, iterations: 10, targeted: true }
    expect(accuracy(model, pgd(model, images, wanted, options), wanted)).toBeGreaterThan(0.9)
    const oneHot = tf.cast(tf.oneHot(labels, CLASSES), 'float32')
    expectClose(fgsm(model, images, oneHot, { epsilon: 0.1 }), fgsm(model, images, labels, { epsilon: 0.1 }))
  })

  it('budgets mean parts of the valid range, whatever the range', () => {
    const model = trainedModel(5)
    const { images, labels } = blobs(16, 6)
    const bounds = normalizedBounds(0.3, 0.2)
    const normalized = tf.div(tf.sub(images, 0.3), 0.2)
    const ofNormalized = (x: tf.Tensor) => classifierOf(model).logits(tf.add(tf.mul(x, 0.2), 0.3))
    const plain = fgsm(model, images, labels, { epsilon: 0.1 })
    const scaled = fgsm(ofNormalized, normalized, labels, { epsilon: 0.1, bounds })
    expectClose(tf.add(tf.mul(scaled, 0.2), 0.3), plain, { atol: 1e-5 })
  })

  it('a final softmax counts as such, however deep, and a user’s loss sees raw outputs', () => {
    const model = trainedModel(7)
    const outer = tfl.sequential({ layers: [model] })
    const { images, labels } = blobs(8, 8)
    const z = classifierOf(outer).logits(images)
    expectClose(tf.softmax(z), model.predict(images) as tf.Tensor)
    let sum: number | undefined
    const seen = (_: tf.Tensor, outputs: tf.Tensor) => {
      sum ??= tf.sum(outputs).dataSync()[0]!
      return tf.neg(tf.sum(outputs, 1))
    }
    fgsm(outer, images, labels, { epsilon: 0.1, loss: seen })
    expectClose([sum!], [8])
  })

  it('transfer attacks the surrogate and nothing else', () => {
    const [surrogate, target] = [trainedModel(9), trainedModel(10)]
    const { images, labels } = blobs(16, 9)
    const attack = transfer(surrogate, (t, x, y) => fgsm(t, x, y, { epsilon: 0.1 }))
    expectClose(attack(target, images, labels), fgsm(surrogate, images, labels, { epsilon: 0.1 }))
  })

  it('training statistics and layers stay as they are', () => {
    const model = tfl.sequential({
      layers: [
        tfl.layers.flatten({ inputShape: [6, 6, 1] }),
        tfl.layers.batchNormalization(),
        tfl.layers.dropout({ rate: 0.5 }),
        tfl.layers.dense({ units: CLASSES }),
      ],
    })
    const { images, labels } = blobs(8, 3)
    const before = model.getWeights().map((w) => w.dataSync().slice())
    for (const { run } of Object.values(attacks)) run(model, images, labels, { epsilon: 0.1 }).dispose()
    expect(model.getWeights().map((w) => w.dataSync().slice())).toEqual(before)
  })

  it('schedules are the published ones', () => {
    expect([...checkpoints(100).keys()].slice(0, 4)).toEqual([22, 41, 57, 70])
    expect(squareFraction(0, 1000, 0.8)).toBe(0.8)
    expect(squareFraction(2, 1000, 0.8)).toBe(0.4)
    expect(squareFraction(999, 1000, 0.8)).toBe(0.8 / 512)
  })

  it('rejects images outside their range and labels of no class, instead of clipping and ignoring them', () => {
    const [x, y] = [tf.fill([2, 2, 2, 1], 0.5), tf.tensor1d([0, 3], 'int32')]
    const target = (t: tf.Tensor) => tf.reshape(t, [-1, 4])
    for (const { run } of Object.values(attacks)) {
      const on = (images: tf.Tensor, labels: tf.Tensor) => () => run(target, images, labels, { epsilon: 0.1 })
      expect(on(tf.mul(x, 255), y)).toThrow('images must be within `bounds`. Received values from 127.5')
      expect(on(tf.fill([2, 2, 2, 1], Number.NaN), y)).toThrow('images must be within `bounds`')
      expect(on(x, tf.tensor1d([0, 4], 'int32'))).toThrow('indices below 4')
      expect(on(x, tf.tensor1d([0], 'int32'))).toThrow('of 2 images. Received shape=[1].')
      expect(on(x, tf.ones([2, 5]))).toThrow('one-hot labels must have 4 classes')
    }
  })

  it('says what is wrong with its arguments', () => {
    const [x, y] = [tf.zeros([1, 2, 2, 1]), tf.tensor1d([0], 'int32')]
    const target = (t: tf.Tensor) => tf.reshape(t, [-1, 4])
    expect(() => pgd(target, x, y, { epsilon: -1 })).toThrow(
      'pgd: `epsilon` must be at least 0. Received epsilon=-1.',
    )
    expect(() => pgdL2(target, x, y, { epsilon: 1, iterations: 0 })).toThrow('pgdL2: `iterations` must be')
    expect(() => apgd(target, x, y, { epsilon: 1, restarts: 0 })).toThrow('apgd: `restarts` must be')
    expect(() => squareAttack(target, tf.zeros([1, 4]), y, { epsilon: 1 })).toThrow(
      'squareAttack: images must be',
    )
    expect(() => fgsm(target, x, y, { epsilon: 1, bounds: { min: 1, max: 0 } })).toThrow(
      '`bounds.min` must be below',
    )
    expect(() => fgsm(target, x, y, { epsilon: 1, bounds: { min: [0, 0], max: [1, 1] } })).toThrow(
      'one per channel',
    )
    expect(() => fgsm(target, x, y, { epsilon: 8 })).toThrow('part of the valid range, such as 8 / 255')
    expect(() => pgd(target, x, y, { epsilon: 0.1, stepSize: Number.NaN })).toThrow('`stepSize` must be')
    expect(() => fgsm((t) => t, x, y, { epsilon: 1 })).toThrow(
      'one output [batch, classes]. Received shape=[1,2,2,1].',
    )
    expect(() => normalizedBounds(0.5, 0)).toThrow('normalizedBounds: `std` must be positive')
  })
})
