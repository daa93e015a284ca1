/** Sharpness-aware minimisation (Foret et al. 2021, arXiv 2010.01412, equations 2 and 3), as a method for `--method`. */
import * as tf from '@tensorflow/tfjs-core'
import type { Hyperparameters } from '@tfgraft/bench/task'
import { dataLoss, forward, type Method, type TrainingSetup } from '@tfgraft/core'

/** Called with a trial's hyperparameters. */
export default function sharpnessAware({ rho = 0.05 }: Hyperparameters): Method {
  return {
    name: 'sharpness-aware',
    paper: {
      title: 'Sharpness-Aware Minimization for Efficiently Improving Generalization',
      authors: ['Foret', 'Kleiner', 'Mobahi', 'Neyshabur'],
      year: 2021,
      url: 'https://arxiv.org/abs/2010.01412',
    },
    apply: (setup: TrainingSetup) => ({
      ...setup,
      step(inner, batch, context) {
        const variables = inner.model.trainableWeights.map((weight) => weight.read() as tf.Variable)
        const loss = () => {
          const predictions = forward(inner.model, batch.xs, { training: true })
          return dataLoss(inner.loss, batch.ys, predictions)
        }
        // Climb: e = rho g / |g| (equation 2).
        const ascents = tf.tidy(() => {
          const { grads } = tf.variableGrads(loss, variables)
          const all = variables.map(({ name }) => grads[name]!)
          const norm = tf.sqrt(tf.addN(all.map((g) => tf.sum(tf.square(g)))))
          return all.map((g) => tf.mul(g, tf.div(Number(rho), tf.maximum(norm, 1e-12))))
        })
        const move = (by: (v: tf.Tensor, e: tf.Tensor) => tf.Tensor) =>
          tf.tidy(() => {
            for (const [i, v] of variables.entries()) v.assign(by(v, ascents[i]!))
          })
        move(tf.add)
        const output = setup.step(inner, batch, context) // the gradient at w + e (equation 3), by whatever step there is
        move(tf.sub)
        tf.dispose(ascents)
        return output
      },
    }),
  }
}
