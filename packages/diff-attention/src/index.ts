export type { AttentionLayerArgs } from './attention-layer'
export type { AttentionLayer } from './attention-layers-of'
export { type AttentionMaps, attentionMapsOf, attentionMapsOfModel } from './attention-map'
export {
  type AttentionMapPictureOptions,
  type AttentionMapPixels,
  attentionMapPixels,
  attentionMapSvg,
} from './attention-map-picture'
export { type BpeTokenizerOptions, bpeTokenizer, type TokenizerLibrary } from './bpe-tokenizer'
export { byteTokenizer, type Tokenizer } from './byte-tokenizer'
export { type CausalLanguageModelConfig, causalLanguageModel } from './causal-language-model'
export { type DiffAttentionMethodOptions, diffAttentionMethod } from './diff-attention-method'
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
export { type GenerateOptions, generate } from './generate'
export { lambdaInit } from './lambda-init'
export { LearnedPositions, type LearnedPositionsArgs } from './learned-positions'
export { MultiHeadAttention, type MultiHeadAttentionArgs, multiHeadAttention } from './multi-head-attention'
export { diffAttention, scaledDotProductAttention } from './op/diff-attention'
export type { AttentionLayout, AttentionOptions, KeyMapping, TilePrecision } from './op/options'
export type { RotaryStyle } from './op/rotary'
export { RMSNormalization, type RMSNormalizationArgs, rmsNormalization } from './rms-normalization'
export {
  RotaryEmbedding,
  type RotaryEmbeddingArgs,
  rotaryEmbedding,
} from './rotary-embedding'
export { readSafetensors, writeSafetensors } from './safetensors'
export { nucleusDistribution, nucleusSample, type SamplingOptions } from './sampling'
export { SwiGLU, type SwiGLUArgs, swiGLU } from './swiglu'
export { type TransformerBlockOptions, transformerBlock } from './transformer-block'
export {
  diffLlamaNames,
  exportWeights,
  importWeights,
  microsoftNames,
  type WeightNames,
} from './weight-names'
