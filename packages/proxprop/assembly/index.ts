/** What the kernels of `@tfgraft/proxprop` export. Arguments are byte addresses and sizes; all data is float32. */
export { blockCg } from './block-cg'
export { patchGram, patchGramScratch } from './patch-gram'
export { solveSpd } from './solve-spd'
