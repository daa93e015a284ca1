/** A small trained classifier, the attacks by name, and images: shared by the attacks' tests. */
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { apgd } from './apgd'
import type { Bounds } from './bounds'
import { fgsm, pgd } from './pgd'
import { pgdL2 } from './pgd-l2'
import { squareAttack } from './square-attack'
import type { AttackTarget } from './target'

type Run = (
  target: AttackTarget,
  images: tf.Tensor,
  labels: tf.Tensor,
  options: { epsilon: number; bounds?: Bounds; seed?: number },
) => tf.Tensor

export const attacks: Record<string, { norm: 'linf' | 'l2'; run: Run }> = {
  fgsm: { norm: 'linf', run: fgsm },
  pgd: { norm: 'linf', run: (t, x, y, o) => pgd(t, x, y, { ...o, iterations: 3 }) },
  'pgd, steps beyond the budget': {
    norm: 'linf',
    run: (t, x, y, o) => pgd(t, x, y, { ...o, iterations: 2, stepSize: 3 * o.epsilon, loss: 'margin' }),
  },
  'pgd, twice negated, so ascending': {
    norm: 'linf',
    run: (t, x, y, o) =>
      pgd(t, x, y, { ...o, iterations: 2, stepSize: -o.epsilon, targeted: true, loss: 'dlr' }),
  },
  pgdL2: { norm: 'l2', run: (t, x, y, o) => pgdL2(t, x, y, { ...o, iterations: 3 }) },
  'apgd, cross entropy': { norm: 'linf', run: (t, x, y, o) => apgd(t, x, y, { ...o, iterations: 6 }) },
  'apgd, DLR': { norm: 'linf', run: (t, x, y, o) => apgd(t, x, y, { ...o, iterations: 6, loss: 'dlr' }) },
  'apgd, targeted DLR': {
    norm: 'linf',
    run: (t, x, y, o) => apgd(t, x, y, { ...o, iterations: 4, loss: 'targetedDlr', targetClasses: 2 }),
  },
  squareAttack: { norm: 'linf', run: (t, x, y, o) => squareAttack(t, x, y, { ...o, queries: 8 }) },
}

export const CLASSES = 4

/** Images of `CLASSES` classes: a bright blob at one of four places, among noise. */
export function blobs(count: number, seed: number): { images: tf.Tensor4D; labels: tf.Tensor1D } {
  return tf.tidy(() => {
    const labels = tf.tensor1d(
      Array.from({ length: count }, (_, i) => i % CLASSES),
      'int32',
    )
    const places = tf.tensor(
      Array.from({ length: CLASSES }, (_, k) =>
        Array.from({ length: 36 }, (_, i) => {
          const [y, x] = [Math.floor(i / 6), i % 6]
          return Math.exp(-((y - 1 - 3 * (k >> 1)) ** 2 + (x - 1 - 3 * (k & 1)) ** 2) / 2)
        }),
      ),
      [CLASSES, 36],
    )
    const noise = tf.randomUniform([count, 36], 0, 0.5, 'float32', seed)
    const mixed = tf.add(
      noise,
      tf.mul(tf.matMul(tf.cast(tf.oneHot(labels, CLASSES), 'float32'), places), 0.4),
    )
    return { images: tf.reshape(tf.clipByValue(mixed, 0, 1), [count, 6, 6, 1]), labels }
  })
}

/** A two-layer perceptron that knows the blobs; softmax at its end. */
export function trainedModel(seed: number, steps = 120): tfl.Sequential {
  const initializer = (n: number) => tfl.initializers.glorotUniform({ seed: seed + n })
  const model = tfl.sequential({
    layers: [
      tfl.layers.flatten({ inputShape: [6, 6, 1] }),
      tfl.layers.dense({ units: 16, activation: 'relu', kernelInitializer: initializer(1) }),
      tfl.layers.dense({ units: CLASSES, activation: 'softmax', kernelInitializer: initializer(2) }),
    ],
  })
  const { images, labels } = blobs(128, seed)
  const optimizer = tf.train.adam(0.01)
  for (let step = 0; step < steps; step++)
    optimizer.minimize(() => {
      const p = model.apply(images, { training: true }) as tf.Tensor
      return tf.neg(
        tf.mean(tf.mul(tf.log(tf.add(p, 1e-7)), tf.mul(tf.oneHot(labels, CLASSES), CLASSES))),
      ) as tf.Scalar
    })
  tf.dispose([images, labels])
  optimizer.dispose()
  return model
}
