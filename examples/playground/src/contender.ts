/** One side of the comparison: a setup, trained a few steps per frame, with the record of its losses. */
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { defaultStep, type Method, type TrainingSetup } from '@tfgraft/core'
import type { Task } from './task'

export interface Hyperparameters {
  hiddenLayers: number
  units: number
  learningRate: number
}

export interface Contender {
  readonly setup: TrainingSetup
  readonly losses: number[]
  /** Seconds of training so far. */
  seconds: number
  /** Fraction of right answers after the last frame. */
  accuracy: number
}

/** The same seeds give every contender the same initial weights. */
export function contender(method: Method, { hiddenLayers, units, learningRate }: Hyperparameters): Contender {
  const initial = (seed: number) => tfl.initializers.heNormal({ seed })
  const model = tfl.sequential()
  for (let i = 0; i < hiddenLayers; i++)
    model.add(
      tfl.layers.dense({
        units,
        activation: 'relu',
        kernelInitializer: initial(i + 1),
        ...(i === 0 && { inputShape: [2] }),
      }),
    )
  model.add(tfl.layers.dense({ units: 2, activation: 'softmax', kernelInitializer: initial(99) }))
  const baseline: TrainingSetup = {
    model,
    optimizer: tf.train.momentum(learningRate, 0.9),
    loss: tfl.metrics.categoricalCrossentropy,
    step: defaultStep,
  }
  return { setup: method.apply(baseline), losses: [], seconds: 0, accuracy: 0 }
}

/** Takes full-batch steps and records the loss of each. */
export async function train(side: Contender, task: Task, steps: number): Promise<void> {
  const start = performance.now()
  for (let i = 0; i < steps; i++) {
    const step = side.losses.length
    const output = side.setup.step(side.setup, task, { epoch: step, step, seed: step })
    side.losses.push((await output.loss.data())[0]!)
    if (i === steps - 1) side.accuracy = await accuracyOf(output.predictions[0]!, task.classes)
    tf.dispose([output.loss, output.predictions])
  }
  side.seconds += (performance.now() - start) / 1000
}

async function accuracyOf(predictions: tf.Tensor, classes: Uint8Array): Promise<number> {
  const probabilities = await predictions.data() // [n, 2]
  let right = 0
  for (let i = 0; i < classes.length; i++)
    if (Number(probabilities[2 * i + 1]! > probabilities[2 * i]!) === classes[i]) right++
  return right / classes.length
}

/** Probability of class 1 on a square grid over [-1, 1]^2, row by row from the top. */
export async function probabilityMap(side: Contender, size: number): Promise<Float32Array> {
  const map = tf.tidy(() => {
    const axis = tf.linspace(-1, 1, size)
    const x = tf.tile(tf.reshape(axis, [1, size]), [size, 1])
    const y = tf.tile(tf.reshape(tf.reverse(axis), [size, 1]), [1, size])
    const grid = tf.stack([tf.reshape(x, [-1]), tf.reshape(y, [-1])], 1)
    return tf.slice(side.setup.model.predict(grid) as tf.Tensor, [0, 1], [-1, 1])
  })
  const values = (await map.data()) as Float32Array
  map.dispose()
  return values
}
