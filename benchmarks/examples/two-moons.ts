/** Two interleaved half circles: a task of one's own, for `--task`. */
import * as tf from '@tensorflow/tfjs-core'
import { initializers, layers, metrics, sequential } from '@tensorflow/tfjs-layers'
import { type SizedDataset, supervised, type Task } from '@tfgraft/bench/task'
import { createRandom, defaultStep, type TrainingSetup } from '@tfgraft/core'

const batchSize = 20

/** Each epoch draws new points, from a stream of its own. */
function moons(batches: number, seed: string): SizedDataset {
  let epoch = 0
  return {
    size: batches,
    async iterator() {
      const random = createRandom(seed).fork(epoch++)
      let batch = 0
      return {
        async next() {
          if (batch++ === batches) return { done: true, value: undefined }
          const points = Array.from({ length: batchSize }, (_, i) => {
            const angle = random.uniform(0, Math.PI)
            const [x, y] =
              i % 2 ? [1 - Math.cos(angle), 0.5 - Math.sin(angle)] : [Math.cos(angle), Math.sin(angle)]
            return [x + random.normal(0, 0.2), y + random.normal(0, 0.2)]
          })
          const ys = tf.oneHot(
            tf.tensor1d(
              points.map((_, i) => i % 2),
              'int32',
            ),
            2,
          )
          return { done: false, value: { xs: tf.tensor2d(points), ys } }
        },
      }
    },
  }
}

const twoMoons: Task<TrainingSetup> = {
  name: 'two-moons',
  title: 'Two moons, 2-16-2',
  summary: 'Points of two half circles with noise 0.2; 16 hidden units, plain gradient descent.',
  kind: 'supervised',
  epochs: 5,
  metrics: [{ name: 'accuracy', title: 'test accuracy', better: 'higher', format: 'percent' }],
  settings: { backprop: { chosen: { learningRate: 0.5 }, grid: [{ learningRate: 0.5 }], validated: false } },
  load: async ({ limit = 2000 }) =>
    supervised({
      baseline: ({ learningRate }, seed) => ({
        model: sequential({
          layers: [
            layers.dense({
              units: 16,
              inputShape: [2],
              activation: 'tanh',
              kernelInitializer: initializers.glorotNormal({ seed }),
            }),
            layers.dense({
              units: 2,
              activation: 'softmax',
              kernelInitializer: initializers.glorotNormal({ seed: seed + 1 }),
            }),
          ],
        }),
        optimizer: tf.train.sgd(Number(learningRate)),
        loss: metrics.categoricalCrossentropy,
        step: defaultStep,
      }),
      train: (seed) => moons(Math.ceil(limit / batchSize), `train ${seed}`),
      evaluation: { iterator: () => moons(50, 'test').iterator() },
      metrics: { accuracy: metrics.categoricalAccuracy },
    }),
}
export default twoMoons
