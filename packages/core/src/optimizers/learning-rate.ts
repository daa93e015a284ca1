/** The learning rate of any tfjs optimizer: a protected field in most, and a method where it is kept as a tensor. */
import type * as tf from '@tensorflow/tfjs-core'
import { Callback, type LayersModel } from '@tensorflow/tfjs-layers'
import type { TrainingState } from '../fit/callbacks'
import type { Schedule } from './schedules'

interface WithRate {
  learningRate?: number | Schedule
  rate?: number
  setLearningRate?(rate: number): void
}

/** The current learning rate. */
export function learningRateOf(optimizer: tf.Optimizer): number {
  const { rate, learningRate } = optimizer as unknown as WithRate
  const current = rate ?? learningRate
  if (typeof current !== 'number')
    throw new Error(
      `the optimizer must have a learning rate. Received ${optimizer.getClassName()} without one.`,
    )
  return current
}

/** Sets the learning rate from the next step on. */
export function setLearningRate(optimizer: tf.Optimizer, rate: number): void {
  learningRateOf(optimizer)
  const settable = optimizer as unknown as WithRate
  if (settable.setLearningRate) settable.setLearningRate(rate)
  else settable.learningRate = rate
}

class LearningRateSchedule extends Callback {
  private step = 0
  private optimizer?: tf.Optimizer

  constructor(private readonly schedule: Schedule) {
    super()
  }

  setTrainingState({ setup, steps }: TrainingState): void {
    this.optimizer = setup.optimizer
    this.step = steps
  }

  override async onBatchBegin(): Promise<void> {
    const optimizer = this.optimizer ?? (this.model as LayersModel).optimizer
    setLearningRate(optimizer, this.schedule(this.step++))
  }
}

/**
 * A callback that sets the learning rate of any tfjs optimizer before each step, in {@link fit} as in `model.fit`.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs'
 * import { scheduleLearningRate, stepDecay } from '@tfgraft/core'
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] })
 * model.compile({ optimizer: tf.train.momentum(0.1, 0.9), loss: 'meanSquaredError' })
 * const schedule = stepDecay({ initial: 0.1, factor: 0.5, every: 10 })
 * await model.fit(tf.ones([8, 2]), tf.zeros([8, 1]), { verbose: 0, callbacks: scheduleLearningRate(schedule) })
 * ```
 */
export function scheduleLearningRate(schedule: Schedule): Callback {
  return new LearningRateSchedule(schedule)
}
