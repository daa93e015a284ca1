/** What the kernels of `@tfgraft/backends` export. Arguments are byte addresses and sizes; all data is float32. */
export { rmsNorm, rmsNormGradient } from './rms-norm'
export { sgemm, sgemmScratch } from './sgemm'
export { biasActivation } from './activation'
export { conv2dBackpropFilter, conv2dBackpropInput, conv2dGradientScratch } from './conv2d-gradients'
export { repeatFloats } from './copy'
export { maxPoolGradient } from './max-pool-gradient'
export { sumColumns, sumRows } from './reduce'
