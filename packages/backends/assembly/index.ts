/** What the kernels of `@tfgraft/backends` export. Arguments are byte addresses and sizes; all data is float32. */
export { rmsNorm, rmsNormGradient } from './rms-norm'
export { sgemm, sgemmScratch } from './sgemm'
export { biasActivation } from './activation'
