export { compose, identity } from './compose'
export type { BatchDataset, FitData } from './fit/batches'
export type { FitCallback, TrainingState, TrainingStateReceiver, YieldEvery } from './fit/callbacks'
export { type EvaluateOptions, evaluate } from './fit/evaluate'
export { type FitOptions, fit } from './fit/fit'
export type { Metrics } from './fit/metrics'
export type { AdoptingLayer } from './graft/carry-weights'
export { graft, type Replace } from './graft/graft'
export type {
  Batch,
  LossFunction,
  Method,
  Paper,
  StepContext,
  StepOutput,
  TrainingSetup,
  TrainStep,
} from './method'
export { createRandom, type Random } from './random'
export { dataLoss, defaultStep, type ForwardOptions, forward, minimize } from './train-step'
