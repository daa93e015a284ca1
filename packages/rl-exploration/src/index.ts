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
export type { Encoding } from './grid-world/encodings'
export { type GridWorld, type GridWorldOptions, type GridWorldStep, gridWorld } from './grid-world/grid-world'
export { NumpyRandom } from './grid-world/numpy-random'
export { type WorldName, worldNames } from './grid-world/registry'
export type { RgbImage } from './grid-world/render'
export type { Autoreset, EnvStep, Numbers, Observations, Space, VectorEnv } from './vector-env'
