export {
  type CheckpointLocation,
  type CheckpointOptions,
  checkpointTo,
  type ResumeOptions,
  resumeFrom,
  saveCheckpoint,
} from './checkpoint/checkpoint'
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
export { AdamW, type AdamWOptions, adamW } from './optimizers/adam-w'
export { ClippedOptimizer, clipByGlobalNorm } from './optimizers/clip-by-global-norm'
export { scheduleLearningRate } from './optimizers/learning-rate'
export {
  type CosineDecayOptions,
  cosineDecay,
  type LinearWarmupOptions,
  linearWarmup,
  type Schedule,
  type StepDecayOptions,
  stepDecay,
} from './optimizers/schedules'
export { createRandom, type Random, withSeededMathRandom } from './random'
export { dataLoss, defaultStep, type ForwardOptions, forward, minimize } from './train-step'
