export { compose, identity } from './compose'
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
