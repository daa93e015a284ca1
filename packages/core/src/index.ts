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
