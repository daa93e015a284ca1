/**
 * A method is a function from a training setup to a training setup.
 *
 * Everything that tfgraft offers is one: ProxProp swaps layers, AdvProp swaps batch normalisation and wraps the
 * step, an exploration bonus wraps rewards. Methods compose, and the benchmark harness knows nothing else.
 */
import type * as tf from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'

/** Where a method was published. */
export interface Paper {
  /** Title as published. */
  title: string
  /** Family names of the authors, in order. */
  authors: readonly string[]
  /** Year of publication. */
  year: number
  /** A stable address: arXiv, DOI or proceedings. */
  url: string
}

/**
 * Maps labels and predictions of one model output to a loss: a scalar, or one value per example, which is averaged.
 * `tf.losses.*` and `tf.metrics.*` of tfjs have this form.
 */
export type LossFunction = (labels: tf.Tensor, predictions: tf.Tensor) => tf.Tensor

/** One minibatch. Arrays hold one tensor per model input or output, in the model's order. */
export interface Batch {
  xs: tf.Tensor | tf.Tensor[]
  ys: tf.Tensor | tf.Tensor[]
}

/** What the step of `fit` may know besides the batch. */
export interface StepContext {
  /** Epoch, from 0. */
  epoch: number
  /** Optimizer step since the start of training, from 0. */
  step: number
  /** A seed for this step's own randomness: differs from step to step, the same in a rerun. */
  seed: number
}

/** What a step returns. The caller disposes every tensor in it. */
export interface StepOutput {
  /** The loss that was minimised, regularisation included. */
  loss: tf.Scalar
  /** The model's predictions for the batch's own examples, one tensor per output, for metrics. */
  predictions: tf.Tensor[]
}

/** Updates the weights of `setup.model` once, from one batch. */
export type TrainStep = (setup: TrainingSetup, batch: Batch, context: StepContext) => StepOutput

/** All that it takes to train a model: what a {@link Method} receives and returns. */
export interface TrainingSetup {
  model: LayersModel
  optimizer: tf.Optimizer
  /** One loss for all outputs, or one per output. With several outputs, their sum is minimised. */
  loss: LossFunction | LossFunction[]
  step: TrainStep
}

/** A research method, as a function from a setup to a setup. `S` is the kind of setup: supervised by default. */
export interface Method<S = TrainingSetup> {
  readonly name: string
  readonly paper: Paper
  /** All papers, where there are several, as in a composition. */
  readonly papers?: readonly Paper[]
  apply(setup: S): S
}
