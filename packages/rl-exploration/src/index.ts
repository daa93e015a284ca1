export { type ActionDistribution, categorical, diagonalGaussian } from './functional/distributions'
export { type GaeInputs, type GaeOutputs, gae, type Series } from './functional/gae'
export { normalizeAdvantages, ppoPolicyLoss, type ValueLossOptions, valueLoss } from './functional/losses'
export {
  type FilterAxis,
  RewardForwardFilter,
  RewardNormalizer,
  type RewardNormalizerState,
} from './functional/reward-forward-filter'
export { RunningMeanStd, type RunningMeanStdState } from './functional/running-mean-std'
