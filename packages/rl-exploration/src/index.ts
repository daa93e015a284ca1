export { type Agent, type AgentState, createAgent, type UpdateReport } from './agent/agent'
export type { AgentSetup, BonusEntry, NetworkSpec, PpoOptions } from './agent/agent-setup'
export { type Episode, type PlayEpisodeOptions, playEpisode } from './agent/play-episode'
export { type PpoSetupOptions, ppo } from './agent/ppo'
export { type TrainAgentOptions, type TrainingResult, trainAgent } from './agent/train-agent'
export type { Bonus, BonusContext, BonusState, Experience, ExperienceBatch } from './bonuses/bonus'
export type { BonusMethod, BonusOptions } from './bonuses/define-bonus'
export { type DisagreementOptions, disagreement } from './bonuses/disagreement'
export type { DynamicsOptions } from './bonuses/dynamics'
export { type E3bOptions, e3b } from './bonuses/e3b'
export { episodicCount } from './bonuses/episodic-count'
export type { EpisodicMemoryOptions } from './bonuses/episodic-memory'
export { type IcmOptions, icm } from './bonuses/icm'
export { type NguOptions, ngu } from './bonuses/ngu'
export { type PseudoCountsOptions, pseudoCounts } from './bonuses/pseudo-counts'
export { type Re3Options, re3 } from './bonuses/re3'
export { type RideOptions, ride } from './bonuses/ride'
export { type RndOptions, rnd, rndLoss, rndReward } from './bonuses/rnd'
export { type GymnasiumEnv, type GymnasiumOptions, gymnasium } from './bridge/gymnasium'
export { GymnasiumError } from './bridge/worker'
export { type ActionDistribution, categorical, diagonalGaussian } from './functional/distributions'
export { type GaeInputs, type GaeOutputs, gae, type Series } from './functional/gae'
export { normalizeAdvantages, ppoPolicyLoss, type ValueLossOptions, valueLoss } from './functional/losses'
export { type PpoLossInputs, type PpoLossOptions, type PpoLossParts, ppoLoss } from './functional/ppo-loss'
export {
  type FilterAxis,
  RewardForwardFilter,
  RewardNormalizer,
  type RewardNormalizerState,
} from './functional/reward-forward-filter'
export { RunningMeanStd, type RunningMeanStdState } from './functional/running-mean-std'
export type { Encoding } from './grid-world/encodings'
export { type EpisodeGifOptions, episodeGif } from './grid-world/episode-gif'
export { type GridWorld, type GridWorldOptions, type GridWorldStep, gridWorld } from './grid-world/grid-world'
export { NumpyRandom } from './grid-world/numpy-random'
export { type WorldName, worldNames } from './grid-world/registry'
export type { RgbImage } from './grid-world/render'
export type { Network } from './networks/network'
export {
  adamStep,
  type ClippedAdam,
  type ClippedAdamOptions,
  type ClippedAdamState,
  clipByGlobalNorm,
  clippedAdam,
} from './networks/optimizer'
export type { RecurrentNetwork } from './networks/recurrent'
export type { Autoreset, EnvStep, Numbers, Observations, Space, VectorEnv } from './vector-env'
