export { advprop } from './advprop/advprop'
export type { AdvPropOptions, TrainingAttack } from './advprop/options'
export { type ApgdOptions, apgd } from './attacks/apgd'
export { type Bounds, normalizedBounds } from './attacks/bounds'
export type { AttackLoss } from './attacks/losses'
export { type AttackOptions, fgsm, type PgdOptions, pgd } from './attacks/pgd'
export { pgdL2 } from './attacks/pgd-l2'
export { type SquareAttackOptions, squareAttack } from './attacks/square-attack'
export type { Attack, AttackTarget, Predictor } from './attacks/target'
export { transfer } from './attacks/transfer'
export { type SplitBatchNormalizationCall, withBatchSplit } from './batch-normalization/batch-split'
export { dropAuxiliary } from './batch-normalization/drop-auxiliary'
export {
  SplitBatchNormalization,
  type SplitBatchNormalizationArgs,
  splitBatchNormalization,
} from './batch-normalization/split-batch-normalization'
export { type CorruptOptions, corrupt, corruptions, type Severity } from './corruptions/corrupt'
export {
  type CorruptionErrorOptions,
  type CorruptionErrors,
  corruptionErrors,
  meanCorruptionError,
} from './corruptions/corruption-error'
export { blur, grainNoise, pixelBlocks } from './corruptions/distortions'
export type { CorruptionKind } from './corruptions/parameters'
export {
  type CueConflict,
  type CueConflictOptions,
  cueConflict,
  type ShapeBias,
  shapeBias,
} from './evaluation/cue-conflict'
export {
  type Accuracy,
  evaluateRobustness,
  type GradientCheck,
  type RobustnessOptions,
  type RobustnessReport,
} from './evaluation/evaluate-robustness'
export { type SparseTopKOptions, sparseTopK } from './sparse-top-k/method'
export { SparseTopK, type SparseTopKArgs, sparseTopKLayer } from './sparse-top-k/sparse-top-k'
export type { Convention } from './sparse-top-k/threshold'
