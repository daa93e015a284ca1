export {
  SplitBatchNormalization,
  type SplitBatchNormalizationArgs,
  type SplitBatchNormalizationCall,
  splitBatchNormalization,
} from './batch-normalization/split-batch-normalization'
