/** One trained and measured model: what the experiment and the search for its settings have in common. */
import * as tf from '@tensorflow/tfjs-core'
import { corrupt, corruptions, cueConflict, dropAuxiliary, pgd, shapeBias } from '@tfgraft/advprop'
import { fashionMnist, mnist } from '@tfgraft/datasets'
import { budgets } from './experiment.mjs'

const BATCH = 64
const of = (images) => images.tensors({ labels: 'index' })
const round = (value) => Math.round(value * 1e4) / 1e4

/** Training and test images of a data set, or a training set split by one seed when `validation`. */
export async function load(data, { validation = false } = {}) {
  const { train, test } = await { 'fashion-mnist': fashionMnist, mnist }[data]()
  if (!validation) return { train, test }
  const shuffled = train.shuffle(7)
  const held = 6000
  return { train: shuffled.slice(held), test: shuffled.take(held) }
}

/** Images that measure, and their changed versions, made once for all models. */
export function prepare(data, { train, test }) {
  const shuffled = test.shuffle(99)
  const [attacked, corrupted] = [of(shuffled.take(300)), of(shuffled.take(200))]
  const sources = of(shuffled.take(2000))
  return {
    train,
    epsilon: budgets[data],
    clean: of(test),
    attacked,
    corrupted: {
      ys: corrupted.ys,
      sets: corruptions.map((kind) => ({
        kind,
        bySeverity: [1, 2, 3, 4, 5].map((severity) => corrupt(corrupted.xs, kind, severity, { seed: 1 })),
      })),
    },
    // Shapes on black, and shapes on half of the texture, where both cues are about as strong.
    conflicts: [0, 0.5].map((background) =>
      cueConflict(sources.xs, sources.ys, { count: 2000, background, seed: 1 }),
    ),
  }
}

/** Trains `setup` for `steps` batches; returns the model without auxiliary statistics, its last loss and the CPU time. */
export async function train(setup, { train }, { seed, steps }) {
  const start = process.cpuUsage()
  const batches = train.batches({ batchSize: BATCH, shuffle: seed, dropRemainder: true })
  let step = 0
  let lastLoss = 0
  while (step < steps)
    for await (const batch of batches) {
      const context = { epoch: 0, step, seed: seed * 100_000 + step }
      const { loss, predictions } = setup.step(setup, batch, context)
      if (++step > steps - 50) lastLoss += loss.dataSync()[0] / 50
      tf.dispose([loss, predictions, batch])
      if (step === steps) break
    }
  const { user, system } = process.cpuUsage(start)
  const model = dropAuxiliary(setup.model)
  setup.model.dispose()
  return { model, lastLoss, cpuSeconds: Math.round((user + system) / 1e5) / 10 }
}

function accuracy(model, xs, ys) {
  const right = tf.tidy(() => {
    const predicted = tf.argMax(model.predict(xs, { batchSize: 250 }), 1)
    return tf.sum(tf.cast(tf.equal(predicted, ys), 'float32')).dataSync()[0]
  })
  return round(right / ys.shape[0])
}

/** Accuracy on clean, attacked and corrupted images, and shape bias. */
export function measure(model, { epsilon, clean, attacked, corrupted, conflicts }) {
  const adversarial = pgd(model, attacked.xs, attacked.ys, { epsilon, iterations: 20, seed: 1 })
  const byKind = Object.fromEntries(
    corrupted.sets.map(({ kind, bySeverity }) => [
      kind,
      bySeverity.map((xs) => accuracy(model, xs, corrupted.ys)),
    ]),
  )
  const all = Object.values(byKind).flat()
  const [plain, covered] = conflicts.map((conflict) => shapeBias(model, conflict))
  const result = {
    clean: accuracy(model, clean.xs, clean.ys),
    pgd20: accuracy(model, adversarial, attacked.ys),
    corrupted: round(all.reduce((a, b) => a + b, 0) / all.length),
    shapeBias: round(plain.shapeBias),
    shapeBiasCovered: round(covered.shapeBias),
    byKind,
    cues: { plain, covered },
  }
  adversarial.dispose()
  return result
}
