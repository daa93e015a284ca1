/** tfjs callbacks as `fit` runs them: the same hooks, logs and parameters as in `model.fit`. */
import * as tfl from '@tensorflow/tfjs-layers'
import type { TrainingSetup } from '../method'

/** How often training yields to the event loop, as in `model.fit`. `'auto'`: every 125 ms. */
export type YieldEvery = NonNullable<tfl.ModelFitArgs['yieldEvery']>

type CallbackInstance = Parameters<tfl.CallbackList['append']>[0]

/** A tfjs callback, or its functions as a plain object, as tfjs-vis makes them. */
export type FitCallback = (CallbackInstance | tfl.CustomCallbackArgs) & TrainingStateReceiver

/** Where training stands: the live state of a run of `fit`. */
export interface TrainingState {
  readonly setup: TrainingSetup
  /** Seed of the run. */
  readonly seed: number
  /** Epochs completed since the start of training. */
  readonly epochs: number
  /** Optimizer steps taken since the start of training. */
  readonly steps: number
}

/** A callback with this method receives the live training state before training begins. */
export interface TrainingStateReceiver {
  setTrainingState?(state: TrainingState): void
}

const isInstance = (callback: FitCallback): callback is CallbackInstance =>
  typeof (callback as CallbackInstance).setParams === 'function'

export interface CallbackSetup {
  callbacks: readonly FitCallback[]
  yieldEvery: YieldEvery
  state: TrainingState
  params: Record<string, number | string | boolean | string[]>
}

/**
 * The list of the callbacks, in the order given, and the history, whose hooks come after theirs. It is not in the list, since it would
 * be awaited twice in every step for nothing: it has hooks for the beginning of training and the end of an epoch only.
 */
export function callbackList({ callbacks, yieldEvery, state, params }: CallbackSetup): {
  list: tfl.CallbackList
  history: tfl.History
} {
  // A custom callback is what yields to the event loop, so there is always one.
  const yielding = callbacks.every(isInstance) ? [{}] : []
  const instances = [...callbacks, ...yielding].map((callback) =>
    isInstance(callback) ? callback : new tfl.CustomCallback(callback as tfl.CustomCallbackArgs, yieldEvery),
  )
  const history = new tfl.History()
  const list = new tfl.CallbackList(instances)
  list.setParams(params)
  list.setModel(state.setup.model)
  state.setup.model.history = history
  for (const callback of callbacks) callback.setTrainingState?.(state)
  return { list, history }
}
