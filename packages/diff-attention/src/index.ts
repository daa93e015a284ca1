export type { AttentionLayerArgs } from './attention-layer'
export {
  DifferentialAttention,
  type DifferentialAttentionArgs,
  differentialAttention,
  type HeadPairing,
} from './differential-attention'
export {
  DifferentialAttentionV2,
  type DifferentialAttentionV2Args,
  differentialAttentionV2,
} from './differential-attention-v2'
export { lambdaInit } from './lambda-init'
export { MultiHeadAttention, type MultiHeadAttentionArgs, multiHeadAttention } from './multi-head-attention'
export { diffAttention, scaledDotProductAttention } from './op/diff-attention'
export type { AttentionLayout, AttentionOptions, KeyMapping } from './op/options'
export { RMSNormalization, type RMSNormalizationArgs, rmsNormalization } from './rms-normalization'
export {
  RotaryEmbedding,
  type RotaryEmbeddingArgs,
  type RotaryStyle,
  rotaryEmbedding,
} from './rotary-embedding'
export { SwiGLU, type SwiGLUArgs, swiGLU } from './swiglu'
