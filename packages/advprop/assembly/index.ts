/** What the kernels of `@tfgraft/advprop` export. Arguments are byte addresses and sizes; all data is float32. */
export { sparseTopK } from './sparse-top-k'
export { moveStatistic, normalizePart, normalizePartGradient } from './split-batch-norm'
