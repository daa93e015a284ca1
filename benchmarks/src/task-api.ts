/** What a task of one's own is written with: `@tfgraft/bench/task`. */
export type { SuiteConfig } from './suite-config'
export { type SizedDataset, type SupervisedOptions, supervised } from './supervised'
export type {
  Hyperparameters,
  LoadedTask,
  LoadOptions,
  MethodSettings,
  Metric,
  SetupKind,
  Task,
  Training,
  TrainingWatch,
} from './task'
